import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ContractError, RateLimitError, RemoteConfigError } from '../../src/core/errors.ts'
import { NamedEvent } from '../../src/core/event.ts'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../src/core/time-range.ts'
import { BETTER_STACK_GUIDE } from '../../src/destinations/better-stack/guide.ts'
import { unusualHost } from '../../src/destinations/better-stack/test-stream.ts'
import type { BetterStackSandbox } from '../../src/sandbox/better-stack/index.ts'
import { dtOf } from '../../src/sandbox/better-stack/store.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, samples, streamedEvent, withTrialOf } from '../support/trial.ts'

const signal = new AbortController().signal
const MARK = { run: '01RUN', backfilledAt: '2026-11-20T12:00:00.000Z' }

const withTrial = withTrialOf<BetterStackSandbox>('better-stack')

/** A file's event: its source type is not the one whose shape we build ourselves. */
function foreign(text: string): { readonly event: NamedEvent; readonly bytes: Buffer } {
  const bytes = Buffer.from(text)
  const reader = { type: 'scaivault', actor: () => undefined, action: () => '', target: () => undefined }
  const named = { id: 'evt_1', occurredAt: isoTime(FAKE_START), occurredAtMs: FAKE_START }
  return { event: new NamedEvent(reader, bytes, named), bytes }
}

describe('better-stack destination', () => {
  test('an event carries its own time in dt, and stands under it', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const at = FAKE_START - 30 * HOUR_MS + 7
      const receipt = await destination.deliver(batchOf(destination, [sample(streamedEvent(1, at))]), {
        signal,
      })
      assert.deepEqual(fates(receipt, 1), ['accepted'])
      const [row] = sandbox.rows()
      assert.equal(row?.['dt'], isoTime(at))
      assert.equal(row?.['dt_fallback'], undefined)
      assert.deepEqual(row?.['event'], { ...streamedEvent(1, at), dt: isoTime(at) })
      assert.equal(String(row?.['raw']).endsWith(`,"dt":"${isoTime(at)}"}`), true)
    }))

  test('restamp and eventTime: false leave dt out; the mark stands inside the event', () =>
    withTrial(async (trial) => {
      const { event, streamed } = sample(streamedEvent(1, FAKE_START))
      const text = (encoded: Uint8Array) => Buffer.from(encoded).toString()
      const plain = text(streamed)
      const destination = trial.destination()
      assert.equal(text(destination.encode(streamed, event, { restamp: true })), plain)
      const undated = trial.destination({ ...trial.settings, eventTime: false })
      assert.equal(text(undated.encode(streamed, event, { restamp: false })), plain)
      assert.equal(
        text(destination.encode(streamed, event, { restamp: false, mark: MARK })),
        `${plain.slice(0, -1)},"auditctl":${JSON.stringify(MARK)},"dt":"${isoTime(FAKE_START)}"}`,
      )
    }))

  test('a foreign event goes out on one line, and keeps a dt of its own', () =>
    withTrial(async (trial) => {
      const destination = trial.destination()
      const encode = ({ event, bytes }: ReturnType<typeof foreign>) =>
        Buffer.from(destination.encode(bytes, event, { restamp: false })).toString()
      assert.equal(
        encode(foreign('{\n  "id": "evt_1",\r\n  "note": "a  b\\n"\n}')),
        `{"id":"evt_1","note":"a  b\\n","dt":"${isoTime(FAKE_START)}"}`,
      )
      assert.equal(encode(foreign('{"dt":1736903485,"id":"evt_1"}')), '{"dt":1736903485,"id":"evt_1"}')
      assert.match(encode(foreign('{"a":{"dt":1},"id":"evt_1"}')), /"id":"evt_1","dt":"2026/)
    }))

  test('402 ends the run with exit 6: nothing was stored and retrying cannot help', () =>
    withTrial(async (trial, sandbox) => {
      trial.faults.add('better-stack:quota')
      const destination = trial.destination()
      const receipt = await destination.deliver(batchOf(destination, samples(3)), { signal })
      assert.ok(receipt.stop instanceof RateLimitError)
      assert.equal(receipt.stop.exitCode, 6)
      assert.match(receipt.reason, /Quota exceeded/)
      assert.deepEqual([fates(receipt, 3), sandbox.receivedIds()], [['retry', 'retry', 'retry'], []])
    }))

  test('406 halves a batch, refuses one event alone, and stops when three in a row are refused alone', () =>
    withTrial(async (trial) => {
      const destination = trial.destination()
      const deliver = async (count: number, fault?: string) => {
        if (fault !== undefined) trial.faults.add(fault)
        const receipt = await destination.deliver(batchOf(destination, samples(count)), { signal })
        trial.faults.clear()
        return receipt
      }
      const refusal = 'better-stack:status=406'
      assert.deepEqual(fates(await deliver(2, refusal), 2), ['split', 'split'])
      assert.deepEqual(fates(await deliver(1, refusal), 1), ['rejected'])
      assert.deepEqual(fates(await deliver(1, refusal), 1), ['rejected'])
      assert.deepEqual(
        fates(await deliver(1), 1),
        ['accepted'],
        'an accepted event shows that bodies are read',
      )
      assert.deepEqual(fates(await deliver(1, refusal), 1), ['rejected'])
      assert.deepEqual(fates(await deliver(1, refusal), 1), ['rejected'])
      const last = await deliver(1, refusal)
      assert.ok(last.stop instanceof RemoteConfigError && !(last.stop instanceof ContractError))
      assert.deepEqual(fates(last, 1), ['retry'])
    }))

  test('nothing but 202 is a yes', () =>
    withTrial(async (trial) => {
      const destination = trial.destination()
      for (const status of [200, 201, 204]) {
        trial.faults.add(`better-stack:status=${status}`)
        const receipt = await destination.deliver(batchOf(destination, samples(1)), { signal })
        assert.deepEqual(fates(receipt, 1), ['unknown'], String(status))
      }
    }))

  test('a host is judged after parsing: a query part does not make it Better Stack', () => {
    for (const [url, isUnusual] of [
      ['https://s1.eu-nbg-2.betterstackdata.com', false],
      ['https://in.logs.betterstack.com/', false],
      ['http://s1.eu-nbg-2.betterstackdata.com', true],
      ['https://evil.example/?x=.betterstackdata.com/', true],
      ['https://evil.example/#.betterstack.com', true],
      ['https://notbetterstackdata.com', true],
    ] as const) {
      assert.equal(unusualHost(url).length > 0, isUnusual, url)
    }
  })

  test('the canary is dated an hour back, and the check says where to look for it', () =>
    withTrial(async (trial, sandbox) => {
      const checks = await trial.destination().test({ send: true, signal })
      const [row] = sandbox.rows()
      assert.equal(row?.['dt'], isoTime(FAKE_START - HOUR_MS))
      const { id = '' } = (row?.['event'] ?? {}) as { readonly id?: string }
      assert.ok(
        checks.some(({ hint }) => hint?.includes(`remote(t123456_infisical_logs)`) && hint.includes(id)),
      )
    }))

  test('limits, grace and late rule are those of the contract', () =>
    withTrial(async (trial) => {
      const { limits, frame, accepts, graceMs, lateDefault } = trial.destination().traits
      assert.deepEqual(
        [limits.maxEvents, limits.maxBytes, limits.maxEventBytes],
        [500, 1_000_000, 10_485_760],
      )
      assert.deepEqual(trial.definition.limits.hard, {
        maxEvents: 1000,
        maxBytes: 10_485_760,
        maxEventBytes: 10_485_760,
      })
      assert.deepEqual([frame, accepts], [{ open: '[', separator: ',', close: ']' }, {}])
      assert.deepEqual([graceMs, lateDefault], [10 * MINUTE_MS, 'skip'])
      const narrow = trial.destination({ ...trial.settings, acceptWindow: { past: '15m' } })
      assert.deepEqual(narrow.traits.accepts, { pastMs: 15 * MINUTE_MS })
      const byArrival = { ...trial.settings, acceptWindow: { past: '15m' }, eventTime: false }
      assert.deepEqual(trial.destination(byArrival).traits.accepts, {})
    }))

  test('the replay query reads both stores, and the guide names the header of the live stream', () =>
    withTrial(async (trial) => {
      const query = trial.destination().replayQuery?.("01'RUN") ?? ''
      assert.match(
        query,
        /remote\(t123456_infisical_logs\).* UNION ALL .*s3Cluster\(primary, t123456_infisical_s3\)/,
      )
      assert.ok(query.includes("!= '01\\'RUN'"))
      assert.match(BETTER_STACK_GUIDE, /Authorization: Bearer <source token>/)
    }))
})

describe('better-stack sandbox source', () => {
  for (const [value, expected] of [
    [1_736_903_485, 1_736_903_485_000],
    [1_736_903_485_552, 1_736_903_485_552],
    ['1736903485552000000', 1_736_903_485_552],
    ['2026-11-20T12:00:00.123456Z', Date.parse('2026-11-20T12:00:00.123Z')],
    ['2026-11-20 14:00:00+02:00', Date.parse('2026-11-20T12:00:00Z')],
    ['yesterday', undefined],
    [17_369, undefined],
    [null, undefined],
  ] as const) {
    test(`reads the dt ${JSON.stringify(value)} as the product does`, () => {
      assert.equal(dtOf(value), expected)
    })
  }

  test('a dt that cannot be read is accepted and the row stands at its arrival', () =>
    withTrial(async (trial, sandbox) => {
      const post = (body: string, headers: Record<string, string> = {}) =>
        fetch(String(trial.settings['url']), {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${String(trial.settings['token'])}`,
            ...headers,
          },
          body,
        })
      assert.equal((await post('{"id":"a","dt":"soon"}')).status, 202)
      assert.deepEqual(
        [sandbox.rows()[0]?.['dt'], sandbox.rows()[0]?.['dt_fallback']],
        [isoTime(FAKE_START), true],
      )
      assert.equal((await post('[{"ping":"ok"}]')).status, 202, 'the ping of the live stream')
      assert.equal(
        (await post('{"id":"b"}\n{"id":"c"}', { 'content-type': 'application/x-ndjson' })).status,
        202,
      )
      for (const body of ['[1]', '[{}', '[[]]', '{"a":}', '[{},]'])
        assert.equal((await post(body)).status, 406, body)
      assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 406)
      assert.equal((await post('{}', { authorization: 'Bearer nobody' })).status, 403)
      sandbox.settings.maxCompressedBytes = 100
      assert.equal((await post(JSON.stringify({ a: 'x'.repeat(100) }))).status, 413)
    }))

  test('the rule of 2023 drops what is too old, and still answers 202', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.maxPastMs = 15 * MINUTE_MS
      const destination = trial.destination()
      const events = [sample(streamedEvent(1, FAKE_START - HOUR_MS)), sample(streamedEvent(2, FAKE_START))]
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      assert.deepEqual(fates(receipt, 2), ['accepted', 'accepted'])
      assert.deepEqual(sandbox.receivedIds(), [events[1]?.event.id])
      assert.deepEqual(
        sandbox.dropped().map(({ id }) => id),
        [events[0]?.event.id],
      )
    }))
})
