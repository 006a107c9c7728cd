import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { IdSet, textOfBits } from '../../../src/core/id-set.ts'
import { FileSpill, temporarySpill } from '../../../src/storage/id-spill.ts'
import { seededRandom } from '../../support/json-fuzz.ts'
import { tempFolder } from '../../support/temp-files.ts'

const COUNT = 60_000

function uuids(count: number, seed: number): string[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  })
}

describe('a set whose ids outgrew memory', () => {
  for (const numbers of [true, false]) {
    for (const maxBytes of [0, 24_000, 480_000]) {
      test(`says the same as one that has them there: ${maxBytes} bytes, ${numbers ? 'with' : 'without'} numbers`, (t) => {
        const folder = tempFolder(t)
        const spilled = new IdSet({ numbers, maxBytes, spill: () => new FileSpill(folder) })
        const plain = new IdSet({ numbers })
        const ids = uuids(COUNT, 3)
        const others = [...uuids(1000, 4), 'no uuid', '7']
        for (const [i, id] of [...ids, ...ids.slice(-5000), ...ids.slice(0, 5000), 'no uuid'].entries()) {
          assert.equal(spilled.add(id, i), plain.add(id, i))
        }
        assert.ok(statSync(join(folder, 'ids')).size > 0)
        assert.equal(spilled.size, COUNT + 1)
        // Backwards, and here and there: pages that have left memory are read again.
        for (const [i, id] of ids.toReversed().entries()) {
          if (i % 3 === 0) assert.equal(spilled.mark(id), plain.mark(id))
          if (i % 7 === 0)
            assert.equal(
              spilled.mark(ids[(i * 7919) % COUNT] ?? ''),
              plain.mark(ids[(i * 7919) % COUNT] ?? ''),
            )
        }
        for (const id of others) {
          assert.equal(spilled.has(id), plain.has(id))
          assert.equal(spilled.numberOf(id), plain.numberOf(id))
        }
        assert.equal(spilled.unmarkedCount, plain.unmarkedCount)
        const shown = (set: IdSet) =>
          [...set.unmarked()].map(({ bits, number }) => `${textOfBits(bits)} ${number}`)
        assert.deepEqual(shown(spilled), shown(plain))
        assert.deepEqual([...spilled.entries()].length, COUNT + 1)
        spilled.clear()
        assert.equal(existsSync(join(folder, 'ids')), false)
        assert.equal(spilled.has(ids[0] ?? ''), false)
        for (const id of ids) assert.equal(spilled.add(id), true)
        assert.equal(spilled.has(ids[777] ?? ''), true)
        spilled.close()
      })
    }
  }
})

test('a temporary spill leaves nothing behind', (t) => {
  const before = process.env['TMPDIR']
  const folder = tempFolder(t)
  process.env['TMPDIR'] = folder
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const [used, unused] = [temporarySpill(), temporarySpill()]
  const at = used.append(Buffer.from('ids'))
  const read = Buffer.alloc(3)
  used.read(at, read)
  assert.equal(read.toString(), 'ids')
  assert.equal(readdirSync(folder).length, 2)
  used.close()
  used.close()
  unused.close()
  assert.deepEqual(readdirSync(folder), [])
})
