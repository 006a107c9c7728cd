import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hexOfBits, idBits, packId, packIdAt } from '../../../src/core/id-bits.ts'
import { IdDigest } from '../../../src/core/id-digest.ts'
import { IdSet, textOfBits } from '../../../src/core/id-set.ts'
import { type Random, seededRandom } from '../../support/json-fuzz.ts'

const UUID = 'b9665ae7-9ce8-4ee9-8ea8-353d13e773a9'
const NIL = '00000000-0000-0000-0000-000000000000'
const bitsOf = (id: string) => {
  packId(id)
  return hexOfBits(idBits)
}
function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

describe('packId()', () => {
  const spellings = [
    UUID,
    UUID.toUpperCase(),
    `{${UUID}}`,
    UUID.replaceAll('-', ''),
    `{${UUID.replaceAll('-', '').toUpperCase()}}`,
  ]
  for (const spelling of spellings) {
    test(`gives the bits of the UUID spelled ${spelling}`, () => {
      assert.equal(bitsOf(spelling), UUID.replaceAll('-', ''))
    })
  }

  const others = [
    '',
    'a',
    'A',
    '7',
    `${UUID}x`,
    ` ${UUID}`,
    UUID.replace('b', 'g'),
    UUID.replace(/9$/, 'g'),
    UUID.replace('-', '_'),
    UUID.replace('-', '').replace(/$/, '-'),
    `{${UUID}`,
    `(${UUID})`,
    `{${UUID.replace('b', 'x')}}`,
    UUID.replaceAll('-', '').replace('a9', 'aé').slice(0, 32),
    'é',
    '日本語',
    '😀',
    'x'.repeat(2000),
    'evt_01H8',
    '4711:17',
  ]
  test('gives every other id bits of its own, which no UUID of RFC 9562 has', () => {
    const seen = new Set(others.map(bitsOf))
    assert.equal(seen.size, others.length)
    for (const bits of seen) assert.match(bits, /^.{16}[ef]/)
  })

  test('is MurmurHash3 x86_128 for other ids', () => {
    // As published with seed 0: 2f1583c3ecee2c675d7bf66ce5e91d2c; the third word has its top bits set.
    assert.equal(bitsOf('The quick brown fox jumps over the lazy dog'), '2f1583c3ecee2c67fd7bf66ce5e91d2c')
  })

  test('gives the same for a string and for its bytes anywhere in a buffer', () => {
    for (const id of [...others, ...spellings, NIL]) {
      const bytes = Buffer.from(`"}${id}"x`)
      packIdAt(bytes, 2, bytes.length - 2)
      assert.equal(hexOfBits(idBits), bitsOf(id), id)
    }
  })
})

describe('IdSet', () => {
  test('answers as a Set does, through growth, with UUIDs, other ids and the id of zeros (fuzzed)', () => {
    const random = seededRandom(1)
    const ids = Array.from({ length: 20_000 }, (_, n) => {
      if (n === 1000) return NIL
      if (n % 3 === 0) return `evt-${n}`
      // Ids in a row differ in their last digits only.
      return n % 3 === 1 ? uuid(random) : `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
    })
    const set = new IdSet()
    const model = new Set<string>()
    for (let n = 0; n < 60_000; n += 1) {
      const id = ids[Math.floor(random() * ids.length)] as string
      const bytes = Buffer.from(id)
      if (n % 2 === 0) {
        assert.equal(n % 4 === 0 ? set.add(id) : set.addAt(bytes, 0, bytes.length), !model.has(id))
        model.add(id)
      } else assert.equal(n % 4 === 1 ? set.has(id) : set.hasAt(bytes, 0, bytes.length), model.has(id))
      assert.equal(set.size, model.size)
    }
    for (const id of ids) assert.equal(set.has(id), model.has(id))
  })

  test('takes spellings of one UUID for one id', () => {
    const set = new IdSet()
    assert.equal(set.add(UUID), true)
    assert.equal(set.add(`{${UUID.toUpperCase()}}`), false)
    assert.equal(set.has(UUID.replaceAll('-', '')), true)
    assert.equal(set.size, 1)
  })

  test('tells the first mark from the next and counts what was never marked', () => {
    const set = new IdSet()
    for (let n = 0; n < 3000; n += 1) set.add(`id-${n}`)
    const at = Buffer.from('"id-8"')
    assert.deepEqual([set.mark('id-7'), set.mark('id-7'), set.mark('none')], ['first', 'again', 'absent'])
    assert.deepEqual([set.markAt(at, 1, 5), set.markAt(at, 1, 5)], ['first', 'again'])
    assert.deepEqual([set.isMarked('id-7'), set.isMarked('id-9'), set.isMarked('none')], [true, false, false])
    assert.equal(set.has('none'), false)
    // Growing must carry the marks along.
    for (let n = 3000; n < 9000; n += 1) set.add(`id-${n}`)
    assert.equal(set.mark('id-7'), 'again')
    assert.equal(set.mark('id-8999'), 'first')
    assert.equal(set.unmarkedCount, 9000 - 3)
    assert.equal([...set.unmarked()].length, 9000 - 3)
  })

  test('keeps a number with each id and gives the unmarked ones in the order they came', () => {
    const random = seededRandom(2)
    const ids = Array.from({ length: 5000 }, () => uuid(random))
    const set = new IdSet({ numbers: true })
    for (const [n, id] of ids.entries()) set.add(id, 1e12 + n)
    set.add(ids[3] as string, 5)
    set.add('without')
    for (const [n, id] of ids.entries()) if (n % 2 === 0) set.mark(id)
    const left = [...set.unmarked()].map(({ bits, number }) => [textOfBits(bits), number])
    assert.equal(left.pop()?.[1], Number.NaN)
    assert.deepEqual(
      left,
      ids.flatMap((id, n) => (n % 2 === 0 ? [] : [[id, 1e12 + n]])),
    )
    assert.equal(set.numberOf(ids[3] as string), 1e12 + 3)
    assert.equal(set.numberOf('none'), undefined)
    assert.equal([...set.entries()].length, 5001)
    assert.deepEqual([...new IdSet().entries()], [])
    const plain = new IdSet()
    plain.add('x', 7)
    assert.equal(plain.numberOf('x'), undefined)
  })

  test('is empty again after clear()', () => {
    const set = new IdSet({ expected: 5000 })
    for (let n = 0; n < 5000; n += 1) set.add(`id-${n}`)
    set.mark('id-1')
    set.clear()
    assert.deepEqual(
      [set.size, set.unmarkedCount, set.has('id-1'), set.isMarked('id-1')],
      [0, 0, false, false],
    )
    assert.equal(set.add('id-1'), true)
    assert.equal(set.mark('id-1'), 'first')
  })
})

describe('IdDigest', () => {
  const digest = (ids: readonly string[]) => {
    const sum = new IdDigest()
    for (const id of ids) sum.add(id)
    return sum.hex()
  }
  const random = seededRandom(9)
  const ids = Array.from({ length: 1000 }, (_, n) => (n % 2 === 0 ? uuid(random) : `evt-${n}`))

  test('does not depend on the order of the ids or the spelling of a UUID', () => {
    const other = ids.map((id) => id.toUpperCase().replace('EVT', 'evt')).reverse()
    assert.equal(digest(other), digest(ids))
    assert.match(digest(ids), /^[0-9a-f]{32}$/)
  })

  test('changes with each id left out, altered or counted twice', () => {
    const whole = digest(ids)
    const others = ids.map((_, n) => digest(ids.toSpliced(n, 1)))
    others.push(
      digest([...ids, ids[0] as string]),
      digest([...ids, ids[0] as string, ids[0] as string]),
      digest([...ids, NIL]),
    )
    assert.equal(new Set([...others, whole]).size, ids.length + 4)
    assert.equal(digest([]), '0'.repeat(32))
  })

  test('of parts adds up to that of the whole', () => {
    const sum = new IdDigest()
    for (let n = 0; n < 1000; n += 100) sum.addDigest(digest(ids.slice(n, n + 100)))
    assert.equal(sum.hex(), digest(ids))
    assert.throws(() => sum.addDigest('abc'), RangeError)
    assert.throws(() => sum.addDigest(`${'0'.repeat(31)}g`), RangeError)
  })

  test('is the same for an id and for its bytes', () => {
    const sum = new IdDigest()
    for (const id of ids) {
      const bytes = Buffer.from(`"${id}"`)
      sum.addAt(bytes, 1, bytes.length - 1)
    }
    assert.equal(sum.hex(), digest(ids))
  })

  test('stays what it was when it was written into manifests', () => {
    assert.equal(digest([UUID, 'evt-1']), '3a90c872319d06f6031a8656c1669790')
  })
})
