import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { IdDiff } from '../../../src/core/id-diff.ts'
import { FileSpill } from '../../../src/storage/id-spill.ts'
import { pick, type Random, seededRandom } from '../../support/json-fuzz.ts'
import { tempFolder } from '../../support/temp-files.ts'

type Found = {
  readonly onlyLeft: string[]
  readonly onlyRight: string[]
  readonly leftRepeats: string[]
  readonly rightRepeats: string[]
  both: number
}

function collect(diff: IdDiff): Found {
  const all: Found = { onlyLeft: [], onlyRight: [], leftRepeats: [], rightRepeats: [], both: 0 }
  for (const part of diff.parts()) {
    all.onlyLeft.push(...part.onlyLeft)
    all.onlyRight.push(...part.onlyRight)
    all.leftRepeats.push(...part.leftRepeats)
    all.rightRepeats.push(...part.rightRepeats)
    all.both += part.both
  }
  for (const list of [all.onlyLeft, all.onlyRight, all.leftRepeats, all.rightRepeats]) list.sort()
  return all
}

/** The same by plain sets and maps. */
function expectedOf(left: readonly string[], right: readonly string[]): Found {
  const [leftSet, rightSet] = [new Set(left), new Set(right)]
  const repeats = (ids: readonly string[]) => {
    const seen = new Set<string>()
    return ids.filter((id) => seen.has(id) || !seen.add(id)).sort()
  }
  return {
    onlyLeft: [...leftSet].filter((id) => !rightSet.has(id)).sort(),
    onlyRight: [...rightSet].filter((id) => !leftSet.has(id)).sort(),
    leftRepeats: repeats(left),
    rightRepeats: repeats(right),
    both: [...leftSet].filter((id) => rightSet.has(id)).length,
  }
}

function uuid(random: Random): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${pick(random, ['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`
}

function lists(random: Random, count: number): { left: string[]; right: string[] } {
  const left: string[] = []
  const right: string[] = []
  for (let n = 0; n < count; n += 1) {
    const id = random() < 0.9 ? uuid(random) : `arn:event/${n}/é`
    const where = random()
    if (where < 0.95) left.push(id)
    if (where > 0.03) right.push(id)
    if (where < 0.02) left.push(id)
    if (where > 0.97) right.push(id, id)
  }
  return { left, right }
}

for (const [name, maxBytes, count] of [
  ['in memory', 64 * 1024 * 1024, 60_000],
  ['through several spills', 1_000_000, 400_000],
] as const) {
  test(`IdDiff is exact ${name}, also for repeats and for ids that are no UUIDs`, (t) => {
    const folder = tempFolder(t)
    const { left, right } = lists(seededRandom(5), count)
    const spill = new FileSpill(folder)
    t.after(() => spill.close())
    const diff = new IdDiff({ maxBytes, spill: () => spill })
    const most = Math.max(left.length, right.length)
    for (let n = 0; n < most; n += 1) {
      const [leftId, rightId] = [left[n], right[right.length - 1 - n]]
      if (leftId !== undefined) diff.addLeft(leftId)
      if (rightId !== undefined) {
        const bytes = Buffer.from(`<${rightId}>`)
        diff.addRightAt(bytes, 1, bytes.length - 1)
      }
    }
    assert.deepEqual(collect(diff), expectedOf(left, right))
    assert.equal(
      readdirSync(folder).length,
      name === 'in memory' ? 0 : 1,
      'the spill is used when it is needed',
    )
    spill.close()
    assert.deepEqual(readdirSync(folder), [], 'and removed')
  })
}

test('IdDiff sees one UUID in its spellings as one id', () => {
  const diff = new IdDiff({ maxBytes: 1024 })
  diff.addLeft('B9665AE7-9CE8-4EE9-8EA8-353D13E773A9')
  diff.addRight('{b9665ae7-9ce8-4ee9-8ea8-353d13e773a9}')
  diff.addRight('b9665ae79ce84ee98ea8353d13e773a9')
  assert.deepEqual(collect(diff), {
    onlyLeft: [],
    onlyRight: [],
    leftRepeats: [],
    rightRepeats: ['b9665ae7-9ce8-4ee9-8ea8-353d13e773a9'],
    both: 1,
  })
})

test('IdDiff finds one missing id masked by one repeated id of equal counts', () => {
  const diff = new IdDiff({ maxBytes: 1024 })
  for (const id of ['a', 'b', 'c']) diff.addLeft(id)
  for (const id of ['a', 'b', 'b']) diff.addRight(id)
  assert.deepEqual(collect(diff), {
    onlyLeft: ['c'],
    onlyRight: [],
    leftRepeats: [],
    rightRepeats: ['b'],
    both: 2,
  })
})

test('IdDiff keeps the id of zeros and empty sides apart', () => {
  const zeros = '00000000-0000-0000-0000-000000000000'
  const diff = new IdDiff({ maxBytes: 1024 })
  diff.addLeft(zeros)
  assert.deepEqual(collect(diff).onlyLeft, [zeros])
  assert.deepEqual(collect(new IdDiff({ maxBytes: 1024 })).both, 0)
})

test('IdDiff without a spill refuses what outgrows its memory rather than forget it', () => {
  const random = seededRandom(6)
  const diff = new IdDiff({ maxBytes: 1 })
  assert.throws(() => {
    for (let n = 0; n < 500_000; n += 1) diff.addLeft(uuid(random))
  }, RangeError)
})
