import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NamedEvent } from '../../src/core/event.ts'
import { HOUR_MS, isoTime } from '../../src/core/time-range.ts'
import { azure } from '../../src/destinations/azure/index.ts'
import type { AzureSandbox } from '../../src/sandbox/azure/index.ts'
import { EXTENDED_COLUMNS } from '../../src/sandbox/azure/table.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, samples, streamedEvent, withTrialOf } from '../support/trial.ts'

const signal = new AbortController().signal

const withTrial = withTrialOf<AzureSandbox>('azure')

describe('azure encode', () => {
  const live = sample(streamedEvent(1, Date.parse('2030-02-01T09:15:02.417Z')))
  const own = live.streamed.toString().slice(0, -1)
  for (const [title, settings, restamp, tail] of [
    [
      'appends TimeGenerated as the live stream does',
      {},
      false,
      ',"TimeGenerated":"2030-02-01T09:15:02.417Z"}',
    ],
    ['leaves TimeGenerated out when restamped', {}, true, '}'],
    ['adds nothing for a time column that the event has', { timeColumn: 'createdAt' }, true, '}'],
    [
      'adds the declared time column',
      { timeColumn: 'EventTime' },
      true,
      ',"EventTime":"2030-02-01T09:15:02.417Z"}',
    ],
    [
      'adds the declared id column',
      { idField: 'EventId' },
      true,
      ',"EventId":"00000000-0000-4000-8000-000000000001"}',
    ],
    [
      'writes six decimals for an Auxiliary table',
      { tablePlan: 'auxiliary' },
      false,
      ',"TimeGenerated":"2030-02-01T09:15:02.417000Z"}',
    ],
    ['leaves TimeGenerated out with eventTime false', { eventTime: false }, false, '}'],
  ] as const) {
    test(title, () =>
      withTrial(async (trial) => {
        const destination = trial.destination({ ...trial.settings, ...settings })
        assert.equal(
          Buffer.from(destination.encode(live.streamed, live.event, { restamp })).toString(),
          own + tail,
        )
      }),
    )
  }

  test('keeps no more than seven fraction digits of a longer time', () =>
    withTrial(async (trial) => {
      const occurredAt = '2026-02-03T14:07:21.118203417Z'
      const bytes = Buffer.from(`{"id":"1","occurred_at":"${occurredAt}"}`)
      const event = new NamedEvent(READER, bytes, {
        id: '1',
        occurredAt,
        occurredAtMs: Date.parse(occurredAt),
      })
      const text = Buffer.from(trial.destination().encode(bytes, event, { restamp: false })).toString()
      assert.ok(text.endsWith('"TimeGenerated":"2026-02-03T14:07:21.1182034Z"}'), text)
    }))
})

describe('azure and time', () => {
  const old = FAKE_START - 5 * 24 * HOUR_MS
  const rowOf = (sandbox: AzureSandbox, id: string) => sandbox.rows().find((row) => row['id'] === id)

  test('inside the accept window TimeGenerated is kept; beyond it Azure overwrites it', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      assert.deepEqual(destination.traits.accepts, { pastMs: 47 * HOUR_MS, futureMs: 23 * HOUR_MS })
      const times = [FAKE_START - 47 * HOUR_MS, FAKE_START + 23 * HOUR_MS, old]
      const events = times.map((at, i) => sample(streamedEvent(i, at)))
      await destination.deliver(batchOf(destination, events), { signal })
      const kept = events.map(({ event }) => rowOf(sandbox, event.id)?.['TimeGenerated'])
      assert.deepEqual(kept, [isoTime(times[0] ?? 0), isoTime(times[1] ?? 0), isoTime(FAKE_START)])
      assert.equal(sandbox.losses().overwritten, 1)
    }))

  test('a table made by the guide loses the true time of a restamped row: the late default is skip', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      assert.equal(destination.traits.lateDefault, 'skip')
      const { streamed, event } = sample(streamedEvent(9, old))
      const encoded = [destination.encode(streamed, event, { restamp: true })]
      await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
      assert.ok(!JSON.stringify(rowOf(sandbox, event.id)).includes(isoTime(old)))
      assert.ok((sandbox.losses().droppedColumns.get('createdAt') ?? 0) > 0)
    }))

  test('with timeColumn the true time survives, and the late default is restamp', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.columns = EXTENDED_COLUMNS
      const destination = trial.destination({ ...trial.settings, timeColumn: 'createdAt' })
      assert.equal(destination.traits.lateDefault, 'restamp')
      const { streamed, event } = sample(streamedEvent(9, old))
      const encoded = [destination.encode(streamed, event, { restamp: true })]
      await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
      assert.equal(rowOf(sandbox, event.id)?.['createdAt'], isoTime(old))
      assert.equal(rowOf(sandbox, event.id)?.['TimeGenerated'], isoTime(FAKE_START))
    }))

  test('an Auxiliary table takes 30 minutes in one request: the limit is a trait, a breach is split', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.auxiliary = true
      const destination = trial.destination({ ...trial.settings, tablePlan: 'auxiliary' })
      assert.equal(destination.traits.maxSpanMs, 30 * 60_000)
      const events = [0, 31].map((minutes) => sample(streamedEvent(minutes, FAKE_START - minutes * 60_000)))
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      assert.deepEqual(fates(receipt, 2), ['split', 'split'])
      assert.equal(receipt.code, 'http-400-RecordsTimeRangeIsMoreThan30Minutes')
    }))
})

describe('azure deliver', () => {
  test('a stream that sends larger requests may send larger events, up to the hard limit', () =>
    withTrial(async (trial) => {
      for (const [batch, expected] of [
        [{}, 999_998],
        [{ maxBytes: 500_000 }, 999_998],
        [{ maxBytes: 1_048_576 }, 1_048_574],
      ] as const) {
        const { limits } = trial.destination({ ...trial.settings, batch }).traits
        assert.equal(limits.maxEventBytes, expected)
      }
      assert.equal(trial.definition.limits.hard.maxEventBytes, 1_048_574)
    }))

  test('a field that Azure would cut is refused before sending; its neighbours arrive once', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const events = samples(6)
      const at = FAKE_START - 60_000
      // 65,536 bytes pass; one more, counted in UTF-8, does not.
      events[1] = sample(streamedEvent(2, at, { userAgent: 'x'.repeat(65_536) }))
      events[2] = sample(streamedEvent(3, at, { userAgent: 'x'.repeat(65_537) }))
      events[4] = sample(streamedEvent(5, at, { eventMetadata: { list: 'ü'.repeat(32_800) } }))
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      assert.deepEqual(fates(receipt, 6), [
        'accepted',
        'accepted',
        'rejected',
        'accepted',
        'rejected',
        'accepted',
      ])
      assert.deepEqual(
        receipt.rejected?.map(({ code }) => code),
        ['field-too-long', 'field-too-long'],
      )
      assert.match(receipt.rejected?.[0]?.reason ?? '', /userAgent has 65537 bytes/)
      assert.deepEqual(
        sandbox.receivedIds(),
        [0, 1, 3, 5].map((i) => events[i]?.event.id),
      )
      assert.equal(sandbox.losses().truncated, 0)
      assert.deepEqual(
        destination.refuses?.(batchOf(destination, events).encoded[2] as Uint8Array)?.code,
        'field-too-long',
      )
    }))

  test('a token that expires in the middle of a run is renewed, once refused nothing more', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const batch = batchOf(destination, samples(2))
      assert.deepEqual(fates(await destination.deliver(batch, { signal }), 2), ['accepted', 'accepted'])
      assert.equal(sandbox.tokensIssued(), 1)
      trial.faults.add('azure:token-expires')
      const refused = await destination.deliver(batch, { signal })
      assert.deepEqual([fates(refused, 2), refused.stop], [['retry', 'retry'], undefined])
      assert.deepEqual(fates(await destination.deliver(batch, { signal }), 2), ['accepted', 'accepted'])
      assert.equal(sandbox.tokensIssued(), 2)
      trial.faults.add('azure:token-expiresx2')
      assert.equal((await destination.deliver(batch, { signal })).stop, undefined)
      const last = await destination.deliver(batch, { signal })
      assert.equal(last.stop?.name, 'AuthError')
      assert.match(last.stop?.hint ?? '', /fresh token/)
    }))

  test('five deliveries at once share one token', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const batch = batchOf(destination, samples(2))
      await Promise.all([1, 2, 3, 4, 5].map(() => destination.deliver(batch, { signal })))
      assert.equal(sandbox.tokensIssued(), 1)
      assert.equal(sandbox.receivedIds().length, 10)
    }))

  test('an Entra that is away leaves the batch to be sent again; nothing was stored', () =>
    withTrial(async (trial, sandbox) => {
      trial.faults.add('azure:token-unavailablex*')
      const destination = trial.destination()
      const receipt = await destination.deliver(batchOf(destination, samples(2)), { signal })
      assert.deepEqual([fates(receipt, 2), receipt.stop], [['retry', 'retry'], undefined])
      assert.deepEqual(sandbox.receivedIds(), [])
    }))

  for (const [fault, hint] of [
    ['azure:forbidden', /Monitoring Metrics Publisher/],
    ['azure:status=404', /ruleId/],
  ] as const) {
    test(`${fault} stops with what to do`, () =>
      withTrial(async (trial) => {
        trial.faults.add(fault)
        const destination = trial.destination()
        const receipt = await destination.deliver(batchOf(destination, samples(1)), { signal })
        assert.match(receipt.stop?.hint ?? '', hint)
      }))
  }

  test('packed by compressed size, ten megabytes pass where they shrink, and are split unsent where they do not', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.strictSize = false
      const destination = trial.destination({ ...trial.settings, packing: 'compressed' })
      assert.equal(destination.traits.limits.maxBytes, 10_000_000)
      const much = samples(4_000, { projectName: 'x'.repeat(1_000) })
      assert.deepEqual(
        new Set(fates(await destination.deliver(batchOf(destination, much), { signal }), 4_000)),
        new Set(['accepted']),
      )
      let state = 1
      const noise = () => {
        let text = ''
        while (text.length < 60_000) {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
          text += state.toString(36)
        }
        return text
      }
      const dense = Array.from({ length: 40 }, (_, i) =>
        sample(streamedEvent(i, FAKE_START - 1000, { userAgent: noise() })),
      )
      const receipt = await destination.deliver(batchOf(destination, dense), { signal })
      assert.deepEqual([new Set(fates(receipt, 40)), receipt.code], [new Set(['split']), 'too-large'])
      assert.equal(sandbox.receivedIds().length, 4_000)
    }))

  test('the token and the secret are refused as settings only together with their ids', () => {
    const base = {
      provider: 'azure',
      endpoint: 'https://x.ingest.monitor.azure.com',
      ruleId: 'dcr-1',
      table: 'T',
    }
    assert.equal(azure.options.safeParse(base).success, true)
    assert.equal(azure.options.safeParse({ ...base, clientSecret: 's' }).success, false)
    assert.equal(azure.options.safeParse({ ...base, table: 'T; drop' }).success, false)
    assert.equal(azure.options.safeParse({ ...base, timeColumn: 'TimeGenerated' }).success, false)
    assert.equal(azure.options.safeParse({ ...base, credential: 'certificate' }).success, false)
    assert.equal(azure.options.safeParse({ ...base, table: 'T_CL' }).data?.table, 'T')
  })

  test('without a client secret the missing package is named with the command that installs it', () =>
    withTrial(async (trial) => {
      const { clientSecret: _, ...settings } = trial.settings
      const destination = trial.destination(settings)
      await assert.rejects(destination.deliver(batchOf(destination, samples(1)), { signal }), {
        name: 'UserError',
        hint: /npm install @azure\/identity/,
      })
    }))
})

const READER = { type: 'circleci', actor: () => undefined, action: () => 'x', target: () => undefined }
