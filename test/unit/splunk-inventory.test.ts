import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../src/core/time-range.ts'
import { createSpl } from '../../src/inventories/splunk/spl.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { startSplunk } from '../../src/sandbox/splunk/index.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, sample, startTrial, streamedEvent } from '../support/trial.ts'

const signal = new AbortController().signal
describe('splunk searches', () => {
  const window = { from: Date.parse('2026-11-20T02:10:00.250Z'), to: Date.parse('2026-11-20T02:20:00.750Z') }

  test('values from the configuration are quoted', () => {
    const spl = createSpl({ source: 'a "b" \\ | delete', sourcetype: 'my:json' }, 'infisical', {
      id: 'audit.id',
      time: 'at',
    })
    assert.equal(
      spl.ids(window, false),
      'search index=* source IN ("a \\"b\\" \\\\ | delete",infisical) sourcetype IN (my:json,_json) | spath input=_raw path=audit.id output=aid | spath input=_raw path=at output=at | eval t=_time, it=_indextime | table t it aid at',
    )
  })

  test('the bounds of the own time are widened to whole seconds', () => {
    const text = createSpl({ index: 'audit' }, 'infisical', { id: 'id', time: 'createdAt' }).ids(window, true)
    assert.match(text, /at>="2026-11-20T02:10:00" AND at<"2026-11-20T02:20:02"/)
  })
})

describe('splunk inventory', () => {
  const window = { from: FAKE_START - 3 * HOUR_MS, to: FAKE_START - 2 * HOUR_MS }
  const inside = window.from + 10 * MINUTE_MS

  async function idsOf(trial: Awaited<ReturnType<typeof startTrial>>, settings = trial.settings) {
    const rows = (await trial.inventory(settings)).ids(window, { signal })
    const ids: string[] = []
    for (;;) {
      const step = await rows.next()
      if (step.done === true) {
        assert.deepEqual(step.value, { exhausted: true })
        return ids
      }
      ids.push(...step.value.ids)
    }
  }

  test('live rows are found beside those of a renamed source and sourcetype', async () => {
    const trial = await startTrial('splunk')
    try {
      const settings = { ...trial.settings, source: 'vault', sourcetype: 'vault:audit' }
      trial.sandbox.preload?.([streamedEvent(1, inside)])
      const destination = trial.destination(settings)
      await destination.deliver(batchOf(destination, [sample(streamedEvent(2, inside + 1))]), { signal })
      const held = [2, 1].map((number) => String(streamedEvent(number, 0)['id']))
      assert.deepEqual(await idsOf(trial, settings), held)
      const inventory = await trial.inventory(settings)
      assert.equal(await inventory.count?.(window, { signal }), 2)
      const wide = { from: window.from - HOUR_MS, to: window.to }
      assert.deepEqual((await inventory.plan(wide, { signal })).at(-1)?.to, window.to)
      assert.deepEqual(trial.sandbox.violations, [])
    } finally {
      await trial.close()
    }
  })

  test('events that old releases dated by their sending are found by their own time', async () => {
    const trial = await startTrial('splunk')
    try {
      const send = async (seconds: number, number: number, atMs: number) => {
        const body = JSON.stringify({
          time: seconds,
          source: 'infisical',
          sourcetype: '_json',
          event: streamedEvent(number, atMs),
        })
        const headers = {
          authorization: `Splunk ${trial.settings['token']}`,
          'content-type': 'application/json',
        }
        const url = `${trial.settings['url']}/services/collector/event`
        assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 200)
      }
      await send(Math.floor(inside / 1000) + 20 * 3600, 1, inside)
      await send(Math.floor(inside / 1000), 2, inside - HOUR_MS)
      await send(Math.floor(inside / 1000) - 3000, 3, inside)
      assert.deepEqual(
        (await idsOf(trial)).toSorted(),
        [1, 3].map((n) => String(streamedEvent(n, 0)['id'])),
      )
    } finally {
      await trial.close()
    }
  })

  test('a stream without event times is searched up to now', async () => {
    const trial = await startTrial('splunk')
    try {
      trial.clock.advance(400 * HOUR_MS)
      const settings = { ...trial.settings, eventTime: false }
      const destination = trial.destination(settings)
      const { sample } = await import('../support/trial.ts')
      const { event, streamed } = sample(streamedEvent(1, inside))
      const encoded = [destination.encode(streamed, event, { restamp: false })]
      await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
      assert.deepEqual(await idsOf(trial, settings), [event.id])
      assert.deepEqual(await idsOf(trial), [], 'with event times it would lie elsewhere')
    } finally {
      await trial.close()
    }
  })

  test('times of other spellings, no time, several ids and no id are each judged here', async () => {
    const trial = await startTrial('splunk')
    try {
      const iso = isoTime(inside)
      trial.sandbox.preload?.([
        streamedEvent(1, inside, { createdAt: iso.replace('Z', '+00:00') }),
        streamedEvent(2, inside, { createdAt: iso.replace('.000Z', 'Z') }),
        streamedEvent(3, inside, { createdAt: `${iso.slice(0, -1)}999Z` }),
        streamedEvent(4, inside, { createdAt: isoTime(inside + 5 * HOUR_MS).replace('Z', '+05:00') }),
        streamedEvent(5, inside, { createdAt: isoTime(inside - HOUR_MS).replace('Z', '+00:00') }),
        { ping: 'ok', createdAt: iso },
      ])
      const ids = await idsOf(trial)
      assert.deepEqual(
        ids.toSorted(),
        [1, 2, 3, 4].map((n) => String(streamedEvent(n, 0)['id'])),
      )
    } finally {
      await trial.close()
    }
  })

  test('an id elsewhere in the event is found by idField', async () => {
    const trial = await startTrial('splunk')
    try {
      trial.sandbox.preload?.([{ createdAt: isoTime(inside), meta: { ref: 'R1' }, id: 'not this' }])
      assert.deepEqual(await idsOf(trial, { ...trial.settings, idField: 'meta.ref' }), ['R1'])
    } finally {
      await trial.close()
    }
  })

  test('a server without v2 exports is asked the old way, once found out', async () => {
    const trial = await startTrial('splunk')
    const legacy = await startSplunk(
      { seed: 1, generation: '2026', recent: false, faults: faultPlan(), now: () => FAKE_START },
      { kind: 'legacy' },
    )
    try {
      legacy.preload?.([streamedEvent(1, inside)])
      const settings = Object.values(legacy.config.streams ?? {})[0] ?? {}
      const inventory = await trial.inventory(settings)
      for (const [round, searches] of [
        [1, 2],
        [2, 3],
      ] as const) {
        const rows = inventory.ids(window, { signal })
        assert.equal((await rows.next()).done, false, `round ${round}`)
        assert.deepEqual((await rows.next()).value, { exhausted: true })
        assert.equal(inventory.queries(), searches)
      }
    } finally {
      await legacy.close()
      await trial.close()
    }
  })

  test('an empty body over an empty window is confirmed by a count', async () => {
    const trial = await startTrial('splunk')
    try {
      trial.faults.add('splunk:search-empty')
      assert.deepEqual(await idsOf(trial), [])
    } finally {
      await trial.close()
    }
  })

  test('a plan keeps pieces near their size, and one search costs a clean week', async () => {
    const trial = await startTrial('splunk')
    try {
      const week = { from: FAKE_START - 168 * HOUR_MS, to: FAKE_START }
      const inventory = await trial.inventory()
      assert.deepEqual(await inventory.plan(week, { signal }), [week])
      assert.equal(inventory.queries(), 1)
      assert.deepEqual(await inventory.plan(window, { signal }), [window])
      assert.equal(inventory.queries(), 1, 'an hour needs no counting')
      trial.faults.add('splunk:search-cut')
      const blind = await inventory.plan(week, { signal })
      assert.equal(blind.length, 7, 'without counts a day is a piece')
      trial.faults.clear()
    } finally {
      await trial.close()
    }
  })

  test('searches run one at a time', async () => {
    const trial = await startTrial('splunk')
    try {
      trial.sandbox.preload?.([streamedEvent(1, inside)])
      const inventory = await trial.inventory()
      trial.faults.add('splunk:search-slowx*=20')
      const all = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const rows = inventory.ids(window, { signal })
          while ((await rows.next()).done !== true);
          return true
        }),
      )
      assert.equal(all.length, 6)
      assert.deepEqual(trial.sandbox.violations, [])
    } finally {
      await trial.close()
    }
  })

  test('settings without search credentials cannot be searched', async () => {
    const trial = await startTrial('splunk')
    try {
      await assert.rejects(trial.inventory({ ...trial.settings, search: undefined }), /cannot be searched/)
    } finally {
      await trial.close()
    }
  })

  test('the query for a person runs as it stands and gives the ids', async () => {
    const trial = await startTrial('splunk')
    try {
      trial.sandbox.preload?.([streamedEvent(1, inside), streamedEvent(2, inside - HOUR_MS)])
      const text = (await trial.inventory()).queryText?.(window)
      const search = trial.settings['search'] as { url: string; token: string }
      const answer = await fetch(`${search.url}/services/search/v2/jobs/export`, {
        method: 'POST',
        headers: { authorization: `Bearer ${search.token}` },
        body: new URLSearchParams({ search: text?.query ?? '', output_mode: 'json', preview: 'false' }),
      })
      const lines = (await answer.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.deepEqual(
        lines.flatMap((line) => line.result?.id ?? []),
        [String(streamedEvent(1, 0)['id'])],
      )
    } finally {
      await trial.close()
    }
  })
})
