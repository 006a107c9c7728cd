import assert from 'node:assert/strict'
import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { AuditEvent } from '../../../src/core/event.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { sliceLines } from '../../../src/core/json-lines.ts'
import { spooledEvents, spooledSpans } from '../../../src/operations/backfill/spooled-events.ts'
import { SpanIndex } from '../../../src/state/span-index.ts'
import { Spool } from '../../../src/state/spool.ts'
import { lineOf, PLAIN_SHAPE as shape } from '../../support/scripted-source.ts'

const NAME = 'spool.jsonl'
/** More than the index keeps in memory before it writes them away. */
const MANY = 10_000

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auditctl-spans-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const linesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => lineOf(n, 1_000_000 + n, { note: 'x'.repeat(n % 37) }))

function spanEvents(lines: readonly string[]): readonly AuditEvent[] {
  return eventsOf(sliceLines(Buffer.from(lines.join('\n')), shape).spans, shape)
}

function spoolOf(lines: readonly string[], committedBytes = 0): Spool {
  const spool = Spool.open(folder, NAME, committedBytes)
  for (const event of spanEvents(lines)) spool.append(event)
  spool.sync()
  return spool
}

/** Whether each block's events came from the index, which knows bounds without having looked for them. */
function told(spool: Spool, from = 0) {
  const blocks = [...spool.blocks(from, spool.length)].map(({ spans }) => spans !== undefined)
  const stretch = { first: 0, spoolFrom: from, spoolTo: spool.length }
  // One by one: what an event says is gone with its block.
  const events = Array.from(
    spooledEvents(spool, shape, stretch),
    ({ event, position, spoolFrom, spoolTo }) => ({
      id: event.id,
      atMs: event.occurredAtMs,
      position,
      line: Buffer.from(spool.line(spoolFrom, spoolTo)).toString(),
    }),
  )
  return { blocks, events }
}

function rowsOf(spool: Spool): readonly number[][] {
  const blocks = spooledSpans(spool, shape, { first: 0, spoolFrom: 0, spoolTo: spool.length })
  return Array.from(blocks, ({ spans }) => [...spans.rows])
}

function expected(lines: readonly string[]) {
  return lines.map((line, position) => {
    const { id, createdAt } = JSON.parse(line) as { id: string; createdAt: string }
    return { id, atMs: Date.parse(createdAt), position, line }
  })
}

describe('the index of a spool', () => {
  test('tells where the events lie that this process wrote, those it has put away included', () => {
    const lines = linesOf(MANY)
    const spool = spoolOf(lines)
    const { blocks, events } = told(spool)
    assert.ok(blocks.length > 1 && blocks.every(Boolean), 'every block from the index')
    assert.deepEqual(events, expected(lines))
    assert.deepEqual(readdirSync(folder), [NAME], 'its file has no name')
    spool.close()
  })

  test('knows nothing of what an earlier process wrote, and is not asked for it', () => {
    const before = linesOf(50)
    spoolOf(before).close()
    const committed = readFileSync(join(folder, NAME)).length
    const more = linesOf(80).slice(50)
    const spool = spoolOf(more, committed)
    assert.deepEqual(told(spool).blocks, [false])
    assert.deepEqual(told(spool).events, expected([...before, ...more]))
    const own = told(spool, committed)
    assert.deepEqual(own.blocks, [true])
    assert.deepEqual(own.events, expected(more))
    spool.close()
  })

  test('describes nothing behind a line that it was not told of', () => {
    const lines = linesOf(30)
    const spool = Spool.open(folder, NAME, 0)
    for (const event of spanEvents(lines.slice(0, 10))) spool.append(event)
    spool.appendLine(Buffer.from(lines[10] ?? ''), 0)
    for (const event of spanEvents(lines.slice(11))) spool.append(event)
    assert.deepEqual(told(spool), { blocks: [false], events: expected(lines) })
    spool.close()
  })

  const damages: readonly (readonly [name: string, spoil: (lines: string[]) => string[]])[] = [
    [
      'lines that have become longer and shorter in place',
      (lines) => {
        const note = (n: number, text: string) =>
          lineOf(n, 1_000_000 + n, { note: `${'x'.repeat(n % 37)}${text}` })
        return lines.map((line, n) => (n === 20 ? line.replace('"x', '"') : n === 21 ? note(n, 'y') : line))
      },
    ],
    ['two lines that changed places', (lines) => [lines[1] ?? '', lines[0] ?? '', ...lines.slice(2)]],
  ]
  for (const [name, spoil] of damages) {
    test(`that does not fit the file (${name}) is left aside: what lies there is read`, () => {
      const lines = linesOf(MANY)
      const spool = spoolOf(lines)
      const spoiled = spoil(lines)
      assert.notDeepEqual(spoiled, lines)
      assert.equal(spoiled.join('\n').length, lines.join('\n').length)
      writeFileSync(spool.path, `${spoiled.join('\n')}\n`)
      const { blocks, events } = told(spool)
      assert.equal(blocks[0], false)
      assert.deepEqual(events, expected(spoiled))
      spool.close()
    })
  }

  test('that cannot be written down is done without', () => {
    mkdirSync(join(folder, `${NAME}.spans`))
    const lines = linesOf(MANY)
    const spool = spoolOf(lines)
    const { blocks, events } = told(spool)
    assert.ok(!blocks.includes(true))
    assert.deepEqual(events, expected(lines))
    spool.close()
  })

  // The file has no name, so that only /proc leads to it.
  if (existsSync('/proc/self/fd')) {
    test('whose own file was cut off is done without', () => {
      const lines = linesOf(MANY)
      const spool = spoolOf(lines)
      const own = readdirSync('/proc/self/fd').find((fd) => linkOf(fd).includes(`${folder}/${NAME}.spans`))
      ftruncateSync(Number(own), 100)
      const { blocks, events } = told(spool)
      assert.equal(blocks[0], false)
      assert.deepEqual(events, expected(lines))
      spool.close()
    })
  }

  test('gives nothing once it is closed', () => {
    const index = new SpanIndex(join(folder, 'spans'), 0)
    const [event] = spanEvents(linesOf(1))
    assert.ok(event !== undefined)
    index.add(event)
    const block = Buffer.from(`${linesOf(1)[0]}\n`)
    assert.equal(index.spansOf(block, 0)?.count, 1)
    index.close()
    assert.equal(index.spansOf(block, 0), undefined)
  })

  test('gives the same bounds as a search of the lines does', () => {
    const lines = linesOf(200)
    const spool = spoolOf(lines)
    const indexed = rowsOf(spool)
    const { length } = spool
    spool.close()
    const again = Spool.open(folder, NAME, length)
    const searched = rowsOf(again)
    assert.deepEqual(indexed, searched)
    again.close()
  })
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}
