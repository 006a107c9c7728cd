import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditEvent, compareEvents } from '../../src/core/event.ts'
import { compileFilter, NO_FILTER } from '../../src/core/filter.ts'
import type { OpenOptions, Slice } from '../../src/core/source.ts'
import { isInside, type TimeRange } from '../../src/core/time-range.ts'
import { SOURCES } from '../../src/sources/registry.ts'
import { readAll } from '../support/infisical-source.ts'
import { KINDS, promisesOf, type SourceTrial } from '../support/source-trial.ts'

/** The promises of `AuditSource` and `OpenWindow`, for every source of the registry. */

const never = () => new AbortController().signal
const idsOf = (events: readonly { readonly id: unknown }[]) => events.map(({ id }) => String(id))
const truthIds = (trial: SourceTrial) => trial.truth.map((event) => String(event['id']))

function open(
  trial: SourceTrial,
  options: Partial<OpenOptions> = {},
  filter = NO_FILTER,
  window = trial.window,
) {
  return trial.source.open(window, filter, { order: 'asc', concurrency: 2, signal: never(), ...options })
}

test('every source of the registry has something to be tried on', () => {
  assert.deepEqual(Object.keys(KINDS).sort(), Object.keys(SOURCES).sort())
})

for (const [type, { filters }] of Object.entries(KINDS)) {
  const promise = promisesOf(type)

  promise('is what its definition says', {}, async ({ definition, source }) => {
    assert.equal(definition.type, type)
    assert.ok(definition.notes.length > 0)
    assert.equal(source.name, 'trial')
    const { shape } = source
    assert.equal(shape.type, shape.reader.type)
    assert.ok(shape.columns.includes(shape.idKey) && shape.columns.includes(shape.timeKey))
    assert.equal(new Set(shape.columns).size, shape.columns.length)
    assert.equal(new Set(shape.knownEventTypes).size, shape.knownEventTypes.length)
    for (const known of shape.knownEventTypes) assert.equal(shape.aliases(known)[0], known)
    assert.ok(source.traits.allowedLatenessMs >= 0 && source.traits.liveRetryMs >= 0)
    assert.throws(() => definition.options.parse({ type, unknownKey: 1 }))
  })

  promise(
    'yields every event of the window once, in either order and at any concurrency',
    {},
    async (trial) => {
      for (const order of ['asc', 'desc'] as const) {
        for (const concurrency of [1, 8]) {
          const { events } = await readAll(trial.source, trial.window, { order, concurrency })
          const ascending = order === 'asc' ? events : events.toReversed()
          assert.deepEqual(new Set(idsOf(ascending)), new Set(truthIds(trial)))
          assert.equal(ascending.length, trial.truth.length)
          assert.deepEqual(idsOf(ascending), idsOf([...ascending].sort(compareEvents)))
        }
      }
    },
  )

  promise('reads half-open windows: what is cut in two is neither lost nor doubled', {}, async (trial) => {
    const { idKey, timeKey } = trial.source.shape
    const middle = Date.parse(String(trial.truth[Math.floor(trial.truth.length / 2)]?.[timeKey]))
    const halves: readonly TimeRange[] = [
      { from: trial.window.from, to: middle },
      { from: middle, to: trial.window.to },
    ]
    for (const half of halves) {
      const expected = trial.truth.filter((event) => isInside(Date.parse(String(event[timeKey])), half))
      assert.ok(expected.length > 100)
      const { events } = await readAll(trial.source, half)
      assert.deepEqual(new Set(idsOf(events)), new Set(expected.map((event) => String(event[idKey]))))
      assert.equal(events.length, expected.length)
    }
  })

  promise('cuts the window into disjoint slices that adjoin in the asked order', {}, async (trial) => {
    const window = { from: trial.window.from - 86_400_000, to: trial.window.to + 3_600_000 }
    for (const order of ['asc', 'desc'] as const) {
      const opened = await open(trial, { order }, NO_FILTER, window)
      const slices: Slice[] = []
      for await (const slice of opened.slices()) {
        slices.push(slice)
        for await (const page of opened.read(slice, never())) {
          for (const event of page) assert.ok(isInside(event.occurredAtMs, slice.range))
        }
      }
      await opened.close()
      assert.deepEqual(
        slices.map(({ index }) => index),
        slices.map((_, index) => index),
      )
      const ascending = order === 'asc' ? slices : slices.toReversed()
      assert.equal(ascending[0]?.range.from, window.from)
      assert.equal(ascending.at(-1)?.range.to, window.to)
      ascending.reduce((before, slice) => {
        assert.equal(slice.range.from, before.range.to)
        return slice
      })
    }
  })

  promise('reads a slice again, with the same events', {}, async (trial) => {
    const opened = await open(trial)
    for await (const slice of opened.slices()) {
      const runs: Set<string>[] = []
      for (let run = 0; run < 2; run += 1) {
        const ids = new Set<string>()
        for await (const page of opened.read(slice, never())) for (const { id } of page) ids.add(id)
        runs.push(ids)
      }
      assert.deepEqual(runs[1], runs[0])
    }
    await opened.close()
  })

  promise('hands over slices that are read side by side, or after all were planned', {}, async (trial) => {
    const opened = await open(trial, { concurrency: 4 })
    const slices: Slice[] = []
    for await (const slice of opened.slices()) slices.push(slice)
    const reads = slices.map(async (slice) => {
      const ids: string[] = []
      for await (const page of opened.read(slice, never())) ids.push(...idsOf(page))
      return ids
    })
    assert.deepEqual(new Set((await Promise.all(reads)).flat()), new Set(truthIds(trial)))
    await opened.close()
  })

  promise('goes on after long stretches without an event', {}, async (trial) => {
    const window = { from: trial.window.from - 400 * 86_400_000, to: trial.window.to }
    const { events } = await readAll(trial.source, window)
    assert.equal(events.length, trial.truth.length)
  })

  promise('asks for nothing more once its reader has stopped', {}, async (trial) => {
    const opened = await open(trial)
    for await (const _ of opened.slices()) break
    await opened.close()
    const requests = trial.source.requests()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(trial.source.requests(), requests)
  })

  promise('ends at once with the reason of the signal', {}, async (trial) => {
    const reason = new Error('enough')
    const controller = new AbortController()
    await assert.rejects(async () => {
      const opened = await open(trial, { signal: controller.signal })
      for await (const slice of opened.slices()) {
        controller.abort(reason)
        for await (const _ of opened.read(slice, controller.signal)) assert.fail('a page after the abort')
      }
    }, reason)
  })

  for (const given of filters) {
    promise(`loses no matching event to the filter ${JSON.stringify(given)}`, {}, async (trial) => {
      const filter = { ...NO_FILTER, ...given }
      const { filters: fields } = trial.source.shape
      const matches = compileFilter(filter, fields, 'trial')
      const reference = (await readAll(trial.source, trial.window)).events.filter(matches)
      const { events } = await readAll(trial.source, trial.window, { filter })
      assert.deepEqual(idsOf(events.filter(matches)), idsOf(reference))
    })
  }

  promise('hands over few events without reading them all, when few are wanted', {}, async (trial) => {
    for (const order of ['asc', 'desc'] as const) {
      const opened = await open(trial, { order, limit: 10 })
      const found: AuditEvent[] = []
      for await (const slice of opened.slices()) {
        for await (const page of opened.read(slice, never())) found.push(...page)
        if (found.length >= 10) break
      }
      await opened.close()
      const sorted = idsOf(found.sort(compareEvents))
      const truth = truthIds(trial)
      if (order === 'asc') assert.deepEqual(new Set(sorted.slice(0, 10)), new Set(truth.slice(0, 10)))
      else assert.deepEqual(new Set(sorted.slice(-10)), new Set(truth.slice(-10)))
    }
  })
}
