import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { NamedEvent } from '../../src/core/event.ts'
import { HOUR_MS, isoTime } from '../../src/core/time-range.ts'
import { datadog } from '../../src/destinations/datadog/index.ts'
import type { DatadogSandbox } from '../../src/sandbox/datadog/index.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, startTrial, streamedEvent, type Trial } from '../support/trial.ts'

const signal = new AbortController().signal

describe('datadog encode', () => {
  let trial: Trial
  before(async () => {
    trial = await startTrial('datadog')
  })
  after(() => trial.close())
  const live = sample(streamedEvent(1, Date.parse('2030-02-01T09:15:02.417Z')))
  const encoded = (settings: object, restamp: boolean, { streamed, event } = live) =>
    Buffer.from(
      trial.destination({ ...trial.settings, ...settings }).encode(streamed, event, { restamp }),
    ).toString()

  test('appends what the live stream appends, in its order', () => {
    const text = encoded({ host: 'vault.example.test' }, false)
    assert.equal(
      text,
      `${live.streamed.toString().slice(0, -1)},"timestamp":"2030-02-01T09:15:02.417Z","hostname":"vault.example.test","ddsource":"infisical","service":"infisical","ddtags":"env:production"}`,
    )
  })

  test('hostname is the host without its port, as the live stream takes it from SITE_URL', () => {
    for (const [host, hostname] of [
      ['vault.example.test:8443', 'vault.example.test'],
      ['[2001:db8::1]:8443', '[2001:db8::1]'],
      ['2001:db8::1', '2001:db8::1'],
    ]) {
      assert.equal(JSON.parse(encoded({ host }, false)).hostname, hostname)
    }
  })

  for (const [title, settings, restamp, tail] of [
    ['restamp leaves the time out and adds its tag', {}, true, '"ddtags":"env:production,backfill:true"}'],
    ['env names the environment', { env: 'staging' }, false, '"ddtags":"env:staging"}'],
    ['ddtags replace it', { ddtags: 'team:soc,a:b' }, false, '"ddtags":"team:soc,a:b"}'],
    [
      'both stand together when both are set',
      { ddtags: 'team:soc', env: 'x' },
      false,
      '"ddtags":"env:x,team:soc"}',
    ],
    [
      'source and service can be renamed',
      { ddsource: 'vault', service: 'audit' },
      false,
      '"ddsource":"vault","service":"audit","ddtags":"env:production"}',
    ],
  ] as const) {
    test(title, () => {
      const text = encoded(settings, restamp)
      assert.ok(text.endsWith(tail), text.slice(-140))
      assert.equal(text.includes('"timestamp"'), !restamp)
      assert.equal(JSON.parse(text).createdAt, '2030-02-01T09:15:02.417Z')
    })
  }

  test('eventTime false leaves the time out without a tag, and nothing is late then', () => {
    const text = encoded({ eventTime: false }, false)
    assert.ok(!text.includes('timestamp') && !text.includes('backfill'))
    assert.deepEqual(trial.destination({ ...trial.settings, eventTime: false }).traits.accepts, {})
  })

  test('an event with a date or an envelope key of its own goes under audit, with its time beside it', () => {
    for (const own of [
      '"timestamp":"2026-01-01T00:00:00.004211Z"',
      '"eventTime":1',
      '"service":"x"',
      '"dat\\u0065":"y"',
    ]) {
      const streamed = Buffer.from(`{"id":"log_1", ${own}}`)
      const at = Date.parse('2026-01-01T00:00:00.004Z')
      const event = new NamedEvent(READER, streamed, {
        id: 'log_1',
        occurredAt: isoTime(at),
        occurredAtMs: at,
      })
      for (const restamp of [false, true]) {
        const text = encoded({}, restamp, { streamed, event })
        assert.ok(
          text.startsWith(
            `{"audit":{"id":"log_1", ${own},"occurred_at":"2026-01-01T00:00:00.004Z","occurred_at_ms":${at}},`,
          ),
          text,
        )
        const log = JSON.parse(text) as Record<string, unknown>
        assert.equal(log['timestamp'], restamp ? undefined : '2026-01-01T00:00:00.004Z')
        assert.equal(log['ddsource'], 'scaivault')
      }
    }
  })

  test('an event of another source without such a key stays flat', () => {
    const streamed = Buffer.from(
      '{"id":"1","action":"x","occurred_at":"2026-01-01T00:00:00Z","common_fields":{"timestamp":"t"}}',
    )
    const event = new NamedEvent({ ...READER, type: 'circleci' }, streamed, {
      id: '1',
      occurredAt: '2026-01-01T00:00:00Z',
      occurredAtMs: 0,
    })
    const text = encoded({}, false, { streamed, event })
    assert.ok(text.startsWith('{"id":"1","action":"x"') && text.includes('"ddsource":"circleci"'))
  })
})

describe('datadog and old events', () => {
  let trial: Trial
  let sandbox: DatadogSandbox
  before(async () => {
    trial = await startTrial('datadog')
    sandbox = trial.sandbox as DatadogSandbox
  })
  after(() => trial.close())

  test('an event beyond the accept window would be answered with 202 and dropped; inside it is kept', async () => {
    const destination = trial.destination()
    const { pastMs = 0, futureMs = 0 } = destination.traits.accepts
    const ages = [pastMs, -futureMs, 18 * HOUR_MS + 1, -2 * HOUR_MS - 1]
    const events = ages.map((age, i) => sample(streamedEvent(i, FAKE_START - age)))
    const receipt = await destination.deliver(batchOf(destination, events), { signal })
    assert.deepEqual(new Set(fates(receipt, 4)), new Set(['accepted']))
    assert.deepEqual(sandbox.receivedIds(), [events[0]?.event.id, events[1]?.event.id])
    assert.deepEqual(
      sandbox.dropped().map(({ reason }) => reason),
      ['too old', 'too far ahead'],
    )
    assert.equal(pastMs, 17 * HOUR_MS)
    assert.equal(futureMs, HOUR_MS)
  })

  test('a restamped event is kept at the hour of its arrival, and found by its own time', async () => {
    const destination = trial.destination()
    const at = FAKE_START - 40 * 24 * HOUR_MS
    const { event, streamed } = sample(streamedEvent(77, at))
    const encoded = [destination.encode(streamed, event, { restamp: true })]
    await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
    const row = sandbox.rows().find((found) => JSON.stringify(found).includes(event.id)) as {
      attributes: { timestamp: string; tags: string[] }
    }
    assert.equal(row.attributes.timestamp, isoTime(trial.clock.now()))
    assert.ok(row.attributes.tags.includes('backfill:true'))
    const inventory = await trial.inventory()
    const step = await inventory.ids({ from: at - 1, to: at + 1 }, { signal }).next()
    assert.deepEqual(step.value, { ids: [event.id], atMs: [at] })
    const beside = await inventory.ids({ from: at + 1, to: at + 1000 }, { signal }).next()
    assert.deepEqual(beside, { done: true, value: { exhausted: true } })
  })

  test('acceptWindow moves the bounds', () => {
    const { traits } = trial.destination({ ...trial.settings, acceptWindow: { past: '6h' } })
    assert.deepEqual(traits.accepts, { pastMs: 6 * HOUR_MS, futureMs: HOUR_MS })
  })
})

test('datadog test() names an unusual host and a refused application key', async () => {
  const trial = await startTrial('datadog')
  try {
    const checks = await trial.destination().test({ send: false, signal })
    assert.ok(checks.some(({ check, state }) => check === 'Datadog site' && state === 'warning'))
    const refused = await trial
      .destination({ ...trial.settings, appKey: 'wrong-application-key' })
      .test({ send: false, signal })
    assert.equal(refused.find(({ check }) => check === 'application key')?.state, 'failure')
    const { appKey: _, ...without } = trial.settings
    const unsearchable = await trial.destination(without).test({ send: false, signal })
    assert.equal(unsearchable.find(({ check }) => check === 'application key')?.state, 'warning')
    assert.equal(datadog.options.safeParse({ ...trial.settings, ddtags: 'x'.repeat(300) }).success, false)
  } finally {
    await trial.close()
  }
})

const READER = { type: 'scaivault', actor: () => undefined, action: () => 'read', target: () => undefined }
