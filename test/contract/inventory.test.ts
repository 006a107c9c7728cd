import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AuthError, RemoteError } from '../../src/core/errors.ts'
import type { Inventory, InventoryEnd } from '../../src/core/inventory.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../src/core/time-range.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import type { SearchTrials } from '../../src/sandbox/service.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, startTrial, streamedEvent, type Trial, tried } from '../support/trial.ts'

const signal = new AbortController().signal
const FROM = FAKE_START - 3 * HOUR_MS
const WINDOW: TimeRange = { from: FROM, to: FROM + HOUR_MS }
/** One event a second through three hours, the window in their middle; its first and last millisecond are taken. */
const EVENTS = [
  ...Array.from({ length: 1800 }, (_, i) => ({ number: i + 1, atMs: FROM - HOUR_MS + i * 6 * SECOND_MS })),
  { number: 9001, atMs: WINDOW.from - 1 },
  { number: 9002, atMs: WINDOW.from + 1 },
  { number: 9003, atMs: WINDOW.to - 1 },
  { number: 9004, atMs: WINDOW.to },
].toSorted((a, b) => a.atMs - b.atMs)
const INSIDE = EVENTS.filter(({ atMs }) => atMs >= WINDOW.from && atMs < WINDOW.to)
const idOf = (number: number) => String(streamedEvent(number, 0)['id'])
const EXPECTED = INSIDE.map(({ number }) => idOf(number)).toSorted()

// A command has no server to refuse it or to fail: test/unit/inventories/command.test.ts holds it to the same promises.
for (const provider of tried(Object.keys(INVENTORIES)).filter((name) => name !== 'command')) {
  describe(`inventory ${provider}`, () => {
    const shown: string[] = []
    let trial: Trial
    let search: SearchTrials

    before(async () => {
      trial = await startTrial(provider)
      assert.ok(trial.sandbox.trials?.search, `the sandbox of ${provider} has no trials for a search`)
      search = trial.sandbox.trials.search
      trial.sandbox.preload?.(EVENTS.map(({ number, atMs }) => streamedEvent(number, atMs)))
    })
    after(() => trial?.close())

    test('gives every id of the window and none of an event outside', async () => {
      const inventory = await trial.inventory()
      const { ids, atMs, end } = await read(inventory, WINDOW)
      assert.deepEqual(end, { exhausted: true })
      const inside = ids.filter((_, i) => !isOutside(atMs[i]))
      assert.deepEqual(inside.toSorted(), EXPECTED)
      if (inventory.traits.tellsTime) assert.ok(atMs.every((at) => !Number.isNaN(at)))
      else assert.deepEqual([...new Set(ids)].filter((id) => EXPECTED.includes(id)).toSorted(), EXPECTED)
      assert.ok(inventory.queries() > 0)
      assert.deepEqual(trial.sandbox.violations, [])
    })

    test('pieces of a plan follow each other without a gap and hold the same ids', async () => {
      const inventory = await trial.inventory()
      const wide = { from: FROM - HOUR_MS, to: FROM + 2 * HOUR_MS }
      const pieces = await inventory.plan(wide, { signal })
      assert.equal(pieces[0]?.from, wide.from)
      assert.equal(pieces.at(-1)?.to, wide.to)
      for (const [i, piece] of pieces.slice(1).entries()) assert.equal(piece.from, pieces[i]?.to)
      const found = new Set<string>()
      for (const piece of pieces) {
        assert.ok(piece.to > piece.from)
        const { ids, end } = await read(inventory, piece)
        assert.deepEqual(end, { exhausted: true })
        for (const id of ids) found.add(id)
      }
      assert.deepEqual([...found].toSorted(), EVENTS.map(({ number }) => idOf(number)).toSorted())
    })

    test('any cut of the window gives the same ids', async () => {
      const inventory = await trial.inventory()
      const found = new Set<string>()
      const cuts = [0, 1, 7 * MINUTE_MS + 333, 7 * MINUTE_MS + 334, 40 * MINUTE_MS, HOUR_MS]
      for (let i = 1; i < cuts.length; i += 1) {
        const piece = { from: WINDOW.from + (cuts[i - 1] ?? 0), to: WINDOW.from + (cuts[i] ?? 0) }
        const { ids, atMs } = await read(inventory, piece)
        ids.forEach((id, at) => {
          if (!isOutside(atMs[at])) found.add(id)
        })
      }
      assert.deepEqual([...found].filter((id) => EXPECTED.includes(id)).toSorted(), EXPECTED)
    })

    test('a window without events is empty and exhausted', async () => {
      const { ids, end } = await read(await trial.inventory(), { from: FROM + 1, to: FROM + 2 })
      assert.deepEqual(end, { exhausted: true })
      assert.deepEqual(ids.filter((id) => EXPECTED.includes(id)).length <= 1, true)
      const { ids: none, end: alsoWhole } = await read(await trial.inventory(), {
        from: FROM - 40 * HOUR_MS,
        to: FROM - 30 * HOUR_MS,
      })
      assert.deepEqual([none, alsoWhole], [[], { exhausted: true }])
    })

    test('a count agrees with the ids', async () => {
      const inventory = await trial.inventory()
      if (inventory.count === undefined) return
      assert.equal(await inventory.count(WINDOW, { signal }), EXPECTED.length)
    })

    test('a row held twice comes back twice where that can be told', async () => {
      const other = await startTrial(provider)
      try {
        const event = streamedEvent(1, WINDOW.from + 5)
        other.sandbox.preload?.([event, event, streamedEvent(2, WINDOW.from + 6)])
        const inventory = await other.inventory()
        const { ids } = await read(inventory, WINDOW)
        assert.equal(new Set(ids).size, 2)
        if (inventory.traits.tellsDuplicates) assert.equal(ids.length, 3)
      } finally {
        await other.close()
      }
    })

    test('an event that the destination delivered is found, once it is searchable', async () => {
      const other = await startTrial(provider)
      try {
        const delay = search.indexDelay?.(30_000)
        if (delay !== undefined) other.faults.add(delay)
        const events = [1, 2, 3].map((number) =>
          sample(streamedEvent(number, FAKE_START - number * MINUTE_MS)),
        )
        const destination = other.destination()
        const receipt = await destination.deliver(batchOf(destination, events.toReversed()), { signal })
        assert.deepEqual(fates(receipt, 3), ['accepted', 'accepted', 'accepted'], receipt.reason)
        const inventory = await other.inventory()
        const window = { from: FAKE_START - HOUR_MS, to: FAKE_START }
        if (delay !== undefined) assert.deepEqual((await read(inventory, window)).ids, [])
        other.clock.advance(destination.traits.graceMs)
        const { ids, end } = await read(inventory, window)
        assert.deepEqual(end, { exhausted: true })
        assert.deepEqual(ids.toSorted(), events.map(({ event }) => event.id).toSorted())
      } finally {
        await other.close()
      }
    })

    test('every way of being partial is refused', async () => {
      assert.ok(search.partial.length > 0)
      for (const fault of search.partial) {
        trial.faults.add(fault)
        const outcome = await read(await trial.inventory(), WINDOW).catch((error: unknown) => {
          assert.ok(error instanceof RemoteError && !(error instanceof AuthError), `${fault}: ${error}`)
          return undefined
        })
        trial.faults.clear()
        if (outcome === undefined) continue
        assert.equal(outcome.end.exhausted, false, fault)
        assert.ok(outcome.end.reason, `${fault} has no reason`)
        shown.push(outcome.end.reason)
      }
    })

    test('what only looks like trouble is seen through', async () => {
      for (const fault of search.harmless) {
        trial.faults.add(fault)
        const { ids, atMs, end } = await read(await trial.inventory(), WINDOW)
        trial.faults.clear()
        assert.deepEqual(end, { exhausted: true }, fault)
        assert.deepEqual(ids.filter((_, i) => !isOutside(atMs[i])).toSorted(), EXPECTED, fault)
      }
    })

    test('refused credentials are an AuthError with a hint', async () => {
      const inventory = await trial.inventory(search.refused)
      await assert.rejects(read(inventory, WINDOW), (error: unknown) => {
        assert.ok(error instanceof AuthError, String(error))
        assert.ok(error.hint)
        shown.push(`${error.stack} ${error.hint}`)
        return true
      })
      const checks = await inventory.test(signal)
      assert.ok(checks.some(({ state, hint }) => state === 'failure' && hint !== undefined))
      shown.push(JSON.stringify(checks))
    })

    test('a search that keeps failing is an error, never an empty answer', async () => {
      trial.faults.add(search.unavailable)
      await assert.rejects(read(await trial.inventory(), WINDOW), (error: unknown) => {
        assert.ok(error instanceof RemoteError && !(error instanceof AuthError), String(error))
        shown.push(String(error.stack))
        return true
      })
      trial.faults.clear()
    })

    test('test() finds nothing wrong with a working search', async () => {
      const checks = await (await trial.inventory()).test(signal)
      assert.ok(checks.length > 0)
      assert.deepEqual(
        checks.filter(({ state }) => state !== 'ok'),
        [],
      )
      shown.push(JSON.stringify(checks))
    })

    test('a signal that has fired ends it with its reason', async () => {
      const reason = new Error('asked to stop')
      const inventory = await trial.inventory()
      await assert.rejects(read(inventory, WINDOW, AbortSignal.abort(reason)), reason)
    })

    test('a reader that stops early leaves it usable', async () => {
      const inventory = await trial.inventory()
      const rows = inventory.ids(WINDOW, { signal })
      await rows.next()
      await rows.return({ exhausted: false })
      assert.deepEqual((await read(inventory, WINDOW)).end, { exhausted: true })
    })

    test('its text for a person holds the window and how to go on', async () => {
      const text = (await trial.inventory()).queryText?.(WINDOW)
      if (text === undefined) return
      assert.ok(text.query.length > 20 && text.where.length > 5)
      assert.match(text.feed, /--inventory /)
      shown.push(JSON.stringify(text))
    })

    test('the credentials appear nowhere', () => {
      for (const secret of search.secrets) assert.ok(!shown.join('\n').includes(secret), 'a secret was shown')
    })
  })
}

function isOutside(at: number | undefined): boolean {
  return at !== undefined && !Number.isNaN(at) && (at < WINDOW.from || at >= WINDOW.to)
}

async function read(
  inventory: Inventory,
  window: TimeRange,
  until: AbortSignal = signal,
): Promise<{ ids: string[]; atMs: number[]; end: InventoryEnd }> {
  const rows = inventory.ids(window, { signal: until })
  const ids: string[] = []
  const atMs: number[] = []
  for (;;) {
    const step = await rows.next()
    if (step.done === true) return { ids, atMs, end: step.value }
    ids.push(...step.value.ids)
    atMs.push(...(step.value.atMs ?? step.value.ids.map(() => Number.NaN)))
  }
}
