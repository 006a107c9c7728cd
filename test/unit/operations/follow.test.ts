import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError, IncompleteError, UnavailableError } from '../../../src/core/errors.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { followEvents } from '../../../src/operations/follow.ts'
import { FAKE_START, fakeClock } from '../../support/fake-clock.ts'
import { idOf, lineOf, scriptedSource } from '../../support/scripted-source.ts'

const MINUTE = 60_000

/** Follows for so many looks, 15 s apart; `before` is called ahead of each. */
async function follow(
  source: ReturnType<typeof scriptedSource>,
  looks: number,
  before: (look: number, now: number) => void,
  showOwnReads = false,
) {
  const clock = fakeClock(FAKE_START)
  const stop = new AbortController()
  const warnings: string[] = []
  let look = 0
  const paced = {
    ...clock,
    async sleep(ms: number, signal?: AbortSignal) {
      await clock.sleep(ms, signal)
      look += 1
      if (look >= looks) stop.abort(new Error('enough'))
      before(look, clock.now())
    },
  }
  before(0, FAKE_START)
  const seen: string[] = []
  const parts = {
    source,
    clock: paced,
    log: { ...SILENT, warn: (message: string) => void warnings.push(message) },
    signal: stop.signal,
    concurrency: 1,
  }
  const options = { from: FAKE_START - 5 * MINUTE, filter: NO_FILTER, intervalMs: 15_000, showOwnReads }
  await assert.rejects(async () => {
    for await (const page of followEvents(parts, options)) seen.push(...page.map(({ id }) => id))
  }, /enough/)
  return { seen, warnings }
}

test('follow shows each event once, oldest first, and late ones when they turn up', async () => {
  const source = scriptedSource([lineOf(1, FAKE_START - MINUTE)])
  const { seen } = await follow(source, 6, (look, now) => {
    if (look === 1) source.lines.push(lineOf(3, now - 2000), lineOf(2, now - 4000))
    if (look === 3) source.lines.push(lineOf(4, now - 4 * MINUTE))
  })
  assert.deepEqual(seen, [1, 2, 3, 4].map(idOf))
})

test('follow looks back as far as events of the source may be late', async () => {
  const late = (allowedLatenessMs: number) => {
    const source = scriptedSource([])
    return { ...source, lines: source.lines, traits: { ...source.traits, allowedLatenessMs } }
  }
  // Delivered 35 minutes after it happened, an hour after following began.
  const looks = 260
  for (const [source, expected] of [
    [late(120 * MINUTE), [idOf(1)]],
    [late(0), []],
  ] as const) {
    const { seen } = await follow(source, looks, (look, now) => {
      if (look === 240) source.lines.push(lineOf(1, now - 35 * MINUTE))
    })
    assert.deepEqual(seen, expected)
  }
})

test('follow forgets what it can no longer meet again, and still repeats nothing in hours', async () => {
  const source = scriptedSource([])
  let serial = 0
  const { seen } = await follow(source, 500, (_, now) => source.lines.push(lineOf(serial++, now - 3000)))
  assert.equal(new Set(seen).size, seen.length)
  assert.ok(seen.length >= 499)
})

test('follow waits for a server that is away, and misses nothing of the meantime', async () => {
  const source = scriptedSource([lineOf(1, FAKE_START - MINUTE)])
  const { seen, warnings } = await follow(source, 8, (look, now) => {
    if (look >= 1 && look <= 4)
      source.failure = look === 2 ? new IncompleteError('torn') : new UnavailableError('away')
    if (look === 2) source.lines.push(lineOf(2, now - 2000))
  })
  assert.deepEqual(seen, [idOf(1), idOf(2)])
  assert.deepEqual(warnings, [
    'away; looking again (1)',
    'torn; looking again (2)',
    'away; looking again (3)',
    'away; looking again (4)',
  ])
})

test('follow ends when the credentials are refused', async () => {
  const source = scriptedSource([])
  source.failure = new AuthError('refused')
  const clock = fakeClock(FAKE_START)
  const parts = { source, clock, log: SILENT, signal: new AbortController().signal, concurrency: 1 }
  const pages = followEvents(parts, {
    from: FAKE_START - MINUTE,
    filter: NO_FILTER,
    intervalMs: 1000,
    showOwnReads: false,
  })
  await assert.rejects(pages.next(), AuthError)
})

test('follow hides reads of our own unless they are asked for', async () => {
  const source = scriptedSource([
    lineOf(1, FAKE_START - MINUTE, { own: true }),
    lineOf(2, FAKE_START - MINUTE),
  ])
  const { traits } = source
  Object.defineProperty(source, 'traits', {
    value: {
      ...traits,
      isOwnRead: (event: { record(): unknown }) => JSON.stringify(event.record()).includes('own'),
    },
  })
  assert.deepEqual((await follow(source, 2, () => {})).seen, [idOf(2)])
  assert.deepEqual((await follow(source, 2, () => {}, true)).seen, [idOf(1), idOf(2)])
})
