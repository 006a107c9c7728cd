import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SILENT } from '../../../src/core/runtime.ts'
import { DAY_MS, HOUR_MS, isoTime } from '../../../src/core/time-range.ts'
import { openBucket } from '../../../src/sources/circleci/open-bucket.ts'
import { hourFolder } from '../../../src/storage/objects/hour-keys.ts'
import { Hours } from '../../../src/storage/objects/hours.ts'
import { objectInputs } from '../../../src/storage/objects/object-inputs.ts'
import { retried } from '../../../src/storage/objects/retried.ts'
import type { ObjectEntry, ObjectStore } from '../../../src/storage/objects/store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { memoryBucket } from '../../support/memory-objects.ts'

const KEYS = 1_000_000
const PAGE_KEYS = 1000
const FROM = Date.UTC(2025, 0, 1)
const DAYS = 100
const HOUR_KEYS = Math.ceil(KEYS / (DAYS * 24))
const signal = new AbortController().signal

/** A bucket with a million keys that are made up as they are listed, and how many were handed out. */
function millionKeys() {
  const counted = { listed: 0, pages: 0 }
  const hours = Array.from({ length: DAYS * 24 }, (_, hour) => {
    const at = FROM + hour * HOUR_MS
    const folder = hourFolder(at, 'circleci')
    return { folder, stem: `${folder}${isoTime(at).slice(0, 19)}_`, first: hour * HOUR_KEYS }
  })
  const keyOf = (n: number): string =>
    `${hours[Math.floor(n / HOUR_KEYS)]?.stem}${n.toString(16).padStart(40, '0')}`
  const store: ObjectStore = {
    ...memoryBucket().store,
    async *list(prefix) {
      const own = hours.filter(({ folder }) => folder.startsWith(prefix))
      const first = own[0]?.first ?? 0
      const end = Math.min(KEYS, first + own.length * HOUR_KEYS)
      for (let at = first; at < end; at += PAGE_KEYS) {
        const length = Math.min(PAGE_KEYS, end - at)
        counted.listed += length
        counted.pages += 1
        yield Array.from(
          { length },
          (_, n): ObjectEntry => ({ key: keyOf(at + n), bytes: 100, version: 'v', modifiedAt: undefined }),
        )
      }
    },
    async folders(prefix) {
      const below = hours.filter(({ folder }) => folder.startsWith(prefix))
      return [...new Set(below.map(({ folder }) => folder.slice(0, folder.indexOf('/', prefix.length) + 1)))]
    },
    // biome-ignore lint/correctness/useYield: an object with nothing in it
    async *read() {
      return
    },
  }
  return { counted, store }
}

describe('a bucket with a million keys', () => {
  test('is listed as its objects are taken, a page and a few ahead', async () => {
    const { counted, store } = millionKeys()
    const clock = fakeClock()
    const { inputs } = await objectInputs('s3://memory/', {
      clock,
      signal,
      openStore: async () => retried(store, clock),
    })
    let taken = 0
    let furthest = 0
    for await (const _ of inputs) {
      furthest = Math.max(furthest, counted.listed - taken)
      taken += 1
      if (taken === 10_000) break
    }
    assert.ok(furthest <= 2 * PAGE_KEYS, `${furthest} keys were listed ahead`)
    assert.ok(counted.listed < 20_000)
  })

  test('is listed a few days ahead of whoever reads its hours', async () => {
    const { counted, store } = millionKeys()
    const hours = new Hours(store, '', 'circleci')
    const window = { from: FROM, to: FROM + DAYS * DAY_MS }
    let [taken, furthest] = [0, 0]
    for await (const { objects } of hours.within(window, signal)) {
      furthest = Math.max(furthest, counted.listed - taken)
      taken += objects.length
    }
    assert.equal(taken, KEYS)
    assert.equal(counted.listed, KEYS)
    assert.ok(furthest <= 5 * 24 * HOUR_KEYS, `${furthest} keys were held`)
  })

  test('is cut into slices that let go of what lies behind them', async () => {
    const { counted, store } = millionKeys()
    const window = { from: FROM, to: FROM + DAYS * DAY_MS }
    const open = openBucket(
      window,
      { store, prefix: '', slackMs: 2 * HOUR_MS, log: SILENT, isStrict: false },
      { order: 'asc', concurrency: 1, signal },
    )
    let [furthest, slices] = [0, 0]
    for await (const { range } of open.slices()) {
      // Read up to here by now: whole hours of keys.
      const behind = Math.floor((range.from - FROM) / HOUR_MS) * HOUR_KEYS
      furthest = Math.max(furthest, counted.listed - behind)
      slices += 1
    }
    assert.ok(slices > 10, `${slices} slices`)
    assert.ok(furthest < KEYS / 4, `${furthest} keys were known ahead`)
    await open.close()
  })
})
