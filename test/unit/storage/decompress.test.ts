import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { IncompleteError, UserError } from '../../../src/core/errors.ts'
import { compressMember } from '../../../src/storage/compress.ts'
import { decompress } from '../../../src/storage/decompress.ts'
import { seededRandom } from '../../support/json-fuzz.ts'
import { inBlocks, textOf } from '../../support/temp-files.ts'

const random = seededRandom(11)
// Half of it does not compress, so that frames have blocks of every type.
const PARTS = [
  'a'.repeat(300_000),
  Array.from({ length: 200_000 }, () => random().toString(36)[3]).join(''),
  '',
  'end',
]
const ALL = PARTS.join('')

const pack = {
  gzip: (text: string) => gzipSync(text),
  zstd: (text: string) => zstdCompressSync(text),
  'zstd with checksums': (text: string) =>
    zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}

for (const [name, compress] of Object.entries(pack)) {
  const members = PARTS.map(compress)
  const whole = Buffer.concat(members)

  for (const size of [1009, 65_536, whole.length]) {
    test(`decompress() reads ${name} members in a row, in blocks of ${size} bytes`, async () => {
      assert.equal(await textOf(decompress(inBlocks(whole, size), 'input')), ALL)
    })
  }

  test(`decompress() gives every prefix of ${name} that ends with a member`, async () => {
    const prefix = Buffer.concat(members.slice(0, 2))
    assert.equal(await textOf(decompress(inBlocks(prefix, 65_536), 'input')), PARTS.slice(0, 2).join(''))
  })

  test(`decompress() never takes ${name} that was cut off anywhere for whole`, async () => {
    const last = members[3]?.length ?? 0
    const first = members[0]?.length ?? 0
    const cuts = [
      5,
      9,
      first - 1,
      first + 1,
      first + 5,
      whole.length - last - 1,
      whole.length - last + 3,
      whole.length - 1,
    ]
    for (const cut of cuts) {
      await assert.rejects(
        textOf(decompress(inBlocks(whole.subarray(0, cut), 4096), 'old.bin')),
        (error: unknown) => {
          assert.ok(error instanceof IncompleteError, `cut at ${cut}: ${error}`)
          assert.match(error.message, /^old\.bin: its (?:gzip|zstd) data is cut off or damaged/)
          return true
        },
      )
    }
  })

  test(`decompress() refuses ${name} with something else behind it`, async () => {
    for (const junk of ['{"id":1}\n', '\0\0\0{"id":1}\n']) {
      const bytes = Buffer.concat([whole, Buffer.from(junk)])
      await assert.rejects(textOf(decompress(inBlocks(bytes, 65_536), 'input')), IncompleteError)
    }
  })

  test(`decompress() refuses ${name} with a changed byte in its middle`, async () => {
    const bytes = Buffer.from(compress(ALL))
    bytes.fill(0xff, 40, 60)
    await assert.rejects(textOf(decompress(inBlocks(bytes, 65_536), 'input')), IncompleteError)
  })
}

test('decompress() passes over zstd frames that are to be skipped, and zeros that pad a gzip file', async () => {
  const skip = Buffer.concat([Buffer.from([0x51, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('notes')])
  const frames = Buffer.concat([skip, zstdCompressSync('a'), skip, zstdCompressSync('b'), skip])
  assert.equal(await textOf(decompress(inBlocks(frames, 3), 'input')), 'ab')
  const padded = Buffer.concat([gzipSync('a'), Buffer.alloc(5000)])
  assert.equal(await textOf(decompress(inBlocks(padded, 512), 'input')), 'a')
})

test('decompress() lets an error of the input through as it is', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gzipSync(ALL).subarray(0, 1000)
    throw new UserError('the input broke')
  }
  await assert.rejects(textOf(decompress(failing(), 'input')), /the input broke/)
})

test('decompress() closes its input when the reader stops early', async () => {
  for (const packed of [Buffer.from(ALL), gzipSync(ALL), zstdCompressSync(ALL)]) {
    let isClosed = false
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inBlocks(packed, 1000)
      } finally {
        isClosed = true
      }
    }
    for await (const _ of decompress(source(), 'input')) break
    assert.ok(isClosed)
  }
})

test('compressMember() gives the same bytes each time, with a fixed operating system in gzip', async () => {
  const content = Buffer.from(ALL)
  for (const kind of ['gzip', 'zstd'] as const) {
    const [one, two] = await Promise.all([compressMember(kind, content), compressMember(kind, content)])
    assert.deepEqual(one, two)
    const parts = await Promise.all(PARTS.map((part) => compressMember(kind, Buffer.from(part))))
    assert.equal(await textOf(decompress(inBlocks(Buffer.concat(parts), 4096), 'input')), ALL)
  }
  const member = await compressMember('gzip', content)
  assert.deepEqual([...member.subarray(4, 8), member[9]], [0, 0, 0, 0, 255], 'no time, no system')
  assert.equal(await compressMember('none', content), content)
})
