import assert from 'node:assert/strict'
import { type EventEmitter, once } from 'node:events'
import { describe, test } from 'node:test'
import ndjson from 'ndjson'
import { UserError } from '../../../src/core/errors.ts'
import { jsonLines, jsonlWriter } from '../../../src/formats/jsonl.ts'
import { readLineBlocks } from '../../../src/formats/line-blocks.ts'
import { objectLines } from '../../../src/formats/object-lines.ts'
import { FORMATS } from '../../../src/formats/registry.ts'
import { pick, randomEvent, seededRandom } from '../../support/json-fuzz.ts'
import { namedEvent, spanEvents } from '../../support/span-events.ts'

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const exact = (n: number) =>
  `{"id":"e${n}","createdAt":"2026-11-20T12:45:41.528Z","n":12345678901234567890.0,"t":"é"}`

describe('jsonLines()', () => {
  test('writes the bytes of each event, a line each, of neighbours and of others (fuzzed)', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 100; round += 1) {
      const texts = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? exact(n) : randomEvent(random)))
      const spans = spanEvents(texts)
      const named = texts.map((text, n) => namedEvent(Buffer.from(text), `${n}`))
      // In order with some left out, repeated, from another buffer, or turned around.
      const chosen = texts.flatMap((_, n) => pick(random, [[n], [n], [n], [], [n, n]]))
      if (round % 5 === 0) chosen.reverse()
      const events = chosen.map((n) => (random() < 0.9 ? spans : named)[n] ?? assert.fail())
      assert.equal(textOf(jsonLines(events)), chosen.map((n) => `${texts[n]}\n`).join(''))
      // The reply that the events lie in must not change.
      assert.deepEqual(
        spans.map((event) => textOf(event.bytes)),
        texts,
      )
    }
  })

  test('writes nothing for no events, and gives memory of its own', () => {
    assert.equal(jsonLines([]).length, 0)
    const [first, second] = [jsonLines(spanEvents([exact(1)])), jsonLines(spanEvents([exact(2)]))]
    assert.deepEqual([textOf(first), textOf(second)], [`${exact(1)}\n`, `${exact(2)}\n`])
  })

  test('is read back by ndjson', async () => {
    const random = seededRandom(12)
    const texts = Array.from({ length: 100 }, () => randomEvent(random))
    const parser = ndjson.parse()
    const read: unknown[] = []
    parser.on('data', (value) => read.push(value))
    parser.end(jsonLines(spanEvents(texts)))
    await once(parser as unknown as EventEmitter, 'end')
    assert.deepEqual(
      read,
      texts.map((text) => JSON.parse(text)),
    )
  })
})

describe('jsonlWriter()', () => {
  test('reuses one buffer, which grows with its pages', async () => {
    const writer = await FORMATS.jsonl({})
    const big = namedEvent(Buffer.from(`{"a":"${'x'.repeat(3_000_000)}"}`), 'big')
    assert.equal(writer.encode([big]).length, 3_000_009)
    assert.equal(textOf(writer.encode(spanEvents([exact(1)]))), `${exact(1)}\n`)
    assert.deepEqual([writer.extension, writer.header.length], ['jsonl', 0])
  })

  test('with columns writes these members by their dotted paths, spelled as in the event', () => {
    const writer = jsonlWriter({ columns: ['id', 'a.b', 'none', 'c'] })
    const events = [
      namedEvent(Buffer.from('{"c":[1, 2.0],"id":"x","a":{"b":12345678901234567890}}'), 'x'),
      namedEvent(Buffer.from('{}'), 'y'),
    ]
    assert.equal(
      textOf(writer.encode(events)),
      '{"id":"x","a.b":12345678901234567890,"none":null,"c":[1,2.0]}\n{"id":null,"a.b":null,"none":null,"c":null}\n',
    )
  })

  test('and csv are found by name', async () => {
    const writer = await FORMATS.csv({ columns: ['id'], guard: false })
    assert.equal(textOf(writer.header) + textOf(writer.encode(spanEvents([exact(3)]))), 'id\r\ne3\r\n')
    await assert.rejects(FORMATS.csv({}), RangeError)
  })
})

describe('readLineBlocks()', () => {
  async function* chunksOf(bytes: Uint8Array, sizes: () => number) {
    for (let at = 0; at < bytes.length; ) {
      const size = sizes()
      // Fresh memory for each chunk, as files give it, so that a reused one would show.
      yield Uint8Array.from(bytes.subarray(at, at + size))
      at += size
    }
  }

  test('gives blocks of whole lines that add up to the input, however it is cut (fuzzed)', async () => {
    const random = seededRandom(13)
    for (let round = 0; round < 200; round += 1) {
      const lines = Array.from({ length: 30 }, () => 'é{"x":1}'.repeat(Math.floor(random() * 6)))
      const text = lines.join('\n') + pick(random, ['', '\n'])
      const blockBytes = pick(random, [1, 50, 1000])
      const chunks = chunksOf(Buffer.from(text), () => 1 + Math.floor(random() * 40))
      const blocks = await Array.fromAsync(readLineBlocks(chunks, { blockBytes }))
      assert.equal(textOf(Buffer.concat(blocks)), text)
      for (const block of blocks.slice(0, -1)) {
        assert.equal(block.at(-1), 10)
        assert.ok(block.length >= Math.min(blockBytes, 1))
      }
      // Small chunks are gathered.
      if (blockBytes === 1000) assert.ok(blocks.length <= 1 + Buffer.byteLength(text) / 900)
    }
  })

  test('gives nothing for nothing, and a line that needs many chunks', async () => {
    assert.deepEqual(await Array.fromAsync(readLineBlocks(chunksOf(new Uint8Array(), () => 1))), [])
    const long = Buffer.from(`${'x'.repeat(100_000)}\ny`)
    const blocks = await Array.fromAsync(
      readLineBlocks(
        chunksOf(long, () => 777),
        { blockBytes: 10 },
      ),
    )
    assert.equal(textOf(Buffer.concat(blocks)), long.toString())
  })

  test('refuses a line that is longer than allowed, naming the input', async () => {
    const bytes = Buffer.from(`a\n${'x'.repeat(100)}\nb`)
    const read = (maxLineBytes: number) =>
      Array.fromAsync(
        readLineBlocks(
          chunksOf(bytes, () => 10),
          { maxLineBytes, name: 'old.jsonl' },
        ),
      )
    await assert.rejects(
      read(50),
      (error) => error instanceof UserError && /^old.jsonl: a line/.test(error.message),
    )
    assert.equal(Buffer.concat(await read(110)).length, bytes.length)
  })
})

describe('objectLines()', () => {
  test('writes one object a line, ended by a newline alone', async () => {
    const objects = [{ a: 1, text: 'é\n' }, { b: [null] }]
    const lines = await Array.fromAsync(objectLines(objects))
    assert.deepEqual(lines, ['{"a":1,"text":"é\\n"}\n', '{"b":[null]}\n'])
    assert.deepEqual(await Array.fromAsync(objectLines([])), [])
  })

  test('passes a failure of its source on, and obeys its signal', async () => {
    async function* broken() {
      yield { a: 1 }
      throw new Error('source broke')
    }
    await assert.rejects(Array.fromAsync(objectLines(broken())), /source broke/)
    await assert.rejects(Array.fromAsync(objectLines([{ a: 1 }], AbortSignal.abort())), {
      name: 'AbortError',
    })
  })
})
