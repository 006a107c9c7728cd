import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Receipt } from '../../src/core/destination.ts'
import { AuthError, RemoteConfigError } from '../../src/core/errors.ts'
import { NamedEvent } from '../../src/core/event.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import { isoTime, MINUTE_MS } from '../../src/core/time-range.ts'
import { XSIAM_GUIDE } from '../../src/destinations/xsiam/guide.ts'
import { xsiam } from '../../src/destinations/xsiam/index.ts'
import { xsiamOptions } from '../../src/destinations/xsiam/options.ts'
import { refusesRecord } from '../../src/destinations/xsiam/refuses-record.ts'
import { createHttpClient } from '../../src/http/client.ts'
import type { XsiamSandbox } from '../../src/sandbox/xsiam/index.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import {
  batchOf,
  fates,
  type Sample,
  sample,
  samples,
  streamedEvent,
  type Trial,
  withTrialOf,
} from '../support/trial.ts'

const signal = new AbortController().signal
const MARK = { run: '01RUN', backfilledAt: '2026-11-20T12:00:00.000Z' }

const withTrial = withTrialOf<XsiamSandbox>('xsiam')

/** Delivers on one destination, so that it remembers; each time with a fault or without. */
function delivery(trial: Trial) {
  const destination = trial.destination()
  return async (events: readonly Sample[], fault?: string): Promise<Receipt> => {
    if (fault !== undefined) trial.faults.add(`xsiam:${fault}`)
    const receipt = await destination.deliver(batchOf(destination, events), { signal })
    trial.faults.clear()
    return receipt
  }
}

describe('xsiam destination', () => {
  test('one record a line with _time behind its members, under the bare key', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const events = samples(3)
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      assert.deepEqual(fates(receipt, 3), ['accepted', 'accepted', 'accepted'])
      const [first] = events
      const text = Buffer.from(first?.streamed ?? []).toString()
      const encoded = Buffer.from(batchOf(destination, events).encoded[0] ?? []).toString()
      assert.equal(encoded, `${text.slice(0, -1)},"_time":"${first?.event.occurredAt}"}`)
      // The emulated tenant dates by arrival: nobody has measured that it takes the key.
      assert.equal(sandbox.rows()[0]?.['_time'], isoTime(FAKE_START))
      assert.deepEqual(destination.traits.frame, { open: '', separator: '\n', close: '' })
    }))

  test('restamp and eventTime: false leave _time out; the mark stands inside the event', () =>
    withTrial(async (trial) => {
      const { event, streamed } = sample(streamedEvent(1, FAKE_START))
      const text = (encoded: Uint8Array) => Buffer.from(encoded).toString()
      const plain = text(streamed)
      const destination = trial.destination()
      assert.equal(text(destination.encode(streamed, event, { restamp: true })), plain)
      const undated = trial.destination({ ...trial.settings, eventTime: false })
      assert.equal(text(undated.encode(streamed, event, { restamp: false })), plain)
      assert.equal(
        text(destination.encode(streamed, event, { restamp: true, mark: MARK })),
        `${plain.slice(0, -1)},"auditctl":${JSON.stringify(MARK)}}`,
      )
    }))

  test('a pretty-printed foreign event goes out on one line, and keeps a _time of its own', () =>
    withTrial(async (trial) => {
      const reader = { type: 'circleci', actor: () => undefined, action: () => '', target: () => undefined }
      const destination = trial.destination()
      const encode = (json: string) => {
        const bytes = Buffer.from(json)
        const named = { id: 'e', occurredAt: isoTime(FAKE_START), occurredAtMs: FAKE_START }
        return Buffer.from(
          destination.encode(bytes, new NamedEvent(reader, bytes, named), { restamp: false }),
        ).toString()
      }
      assert.equal(encode('{\n  "id": "e"\n}\n'), `{"id":"e","_time":"${isoTime(FAKE_START)}"}`)
      assert.equal(encode('{"_time":1,"id":"e"}'), '{"_time":1,"id":"e"}')
    }))

  for (const [text, isRefused] of [
    ['{"id":"a"}', false],
    ['{"id":"a\\nb"}', false],
    ['{"id":"a"', true],
    ['{"id":01}', true],
    ['{"id":"a"}{}', true],
    ['{\n"id":"a"}', true],
    ['["a"]', true],
    ['', true],
  ] as const) {
    test(`${JSON.stringify(text)} is ${isRefused ? 'refused before sending' : 'a record'}`, () => {
      assert.equal(refusesRecord(Buffer.from(text)) !== undefined, isRefused)
    })
  }

  test('a record that is no JSON is refused alone and sends nothing; its neighbours go without it', () =>
    withTrial(async (trial, sandbox) => {
      const destination = trial.destination()
      const batch = batchOf(destination, samples(3))
      const [first = new Uint8Array(0), , last = new Uint8Array(0)] = batch.encoded
      const bad = { ...batch, encoded: [first, Buffer.from('{"id":'), last] }
      const receipt = await destination.deliver(bad, { signal })
      assert.deepEqual(fates(receipt, 3), ['retry', 'rejected', 'retry'])
      assert.deepEqual(sandbox.receivedIds(), [])
    }))

  test('a 200 is a yes only with the text "false" as its error', () =>
    withTrial(async (trial) => {
      const deliver = delivery(trial)
      const receipt = await deliver(samples(2), 'error-true')
      assert.deepEqual([fates(receipt, 2), receipt.code], [['unknown', 'unknown'], 'xsiam-error'])
      assert.match(receipt.reason, /"true"/)
      assert.deepEqual(fates(await deliver(samples(2), 'status=200'), 2), ['unknown', 'unknown'])
    }))

  test('500 is met three times for the same events, then the run stops and names format and compression', () =>
    withTrial(async (trial) => {
      const deliver = delivery(trial)
      const [one, two] = [samples(6).slice(0, 3), samples(6).slice(3)]
      for (const events of [one, two, one, two]) {
        const receipt = await deliver(events, 'status=500')
        assert.deepEqual([fates(receipt, 3), receipt.stop], [['unknown', 'unknown', 'unknown'], undefined])
      }
      const { stop, ...receipt } = await deliver(one, 'status=500')
      assert.ok(stop instanceof RemoteConfigError)
      assert.match(stop.hint ?? '', /Log Format .* Compression/)
      assert.deepEqual(fates(receipt, 3), ['unknown', 'unknown', 'unknown'])
    }))

  test('the first 500 already names format and compression, long before the run stops', () =>
    withTrial(async (trial) => {
      const warned: string[] = []
      const log = { ...SILENT, warn: (message: string) => void warned.push(message) }
      const http = createHttpClient({ clock: trial.clock, log, env: {}, version: 'test' })
      const options = xsiamOptions.parse({ ...trial.settings, compress: 'gzip' })
      bindSecrets(options, (reference) => reference)
      const destination = xsiam.create('tenant', options, { http, clock: trial.clock, log, baseDir: '.' })
      for (const events of [samples(1), samples(2)])
        await destination.deliver(batchOf(destination, events), { signal })
      await http.close()
      assert.equal(warned.length, 1)
      assert.match(warned[0] ?? '', /^stream tenant: .*500.*Log Format .* Compression/)
    }))

  test('an accepted attempt makes the 500s before it forgotten', () =>
    withTrial(async (trial) => {
      const deliver = delivery(trial)
      for (const fault of ['status=500', 'status=500', undefined, 'status=500', 'status=500']) {
        assert.equal((await deliver(samples(1), fault)).stop, undefined)
      }
    }))

  test('compression must be that of the collector: a mismatch is a 500, a match is stored', () =>
    withTrial(async (trial, sandbox) => {
      const packed = trial.destination({ ...trial.settings, compress: 'gzip' })
      const deliver = () => packed.deliver(batchOf(packed, samples(2)), { signal })
      const refused = await deliver()
      assert.deepEqual([refused.code, fates(refused, 2)], ['http-500', ['unknown', 'unknown']])
      assert.match(refused.reason, /failed to process the request/)
      sandbox.settings.gzip = true
      assert.deepEqual(fates(await deliver(), 2), ['accepted', 'accepted'])
      const [check] = (await trial.destination().test({ send: true, signal })).filter(
        ({ state }) => state === 'failure',
      )
      assert.match(check?.hint ?? '', /Compression/)
    }))

  test('test() with --send sends three marked records in one request, and says how to count their rows', () =>
    withTrial(async (trial, sandbox) => {
      const checks = await trial.destination().test({ send: true, signal })
      const held = sandbox.receivedIds()
      assert.equal(new Set(held).size, 3)
      assert.deepEqual(
        sandbox.rows().map((row) => (row['auditctl'] as { canary?: boolean }).canary),
        [true, true, true],
      )
      const canary = checks.find(({ check }) => check === 'an event is accepted')
      assert.equal(canary?.state, 'ok')
      assert.match(canary?.message ?? '', /3 canaries .* in one request/)
      for (const id of held) assert.ok(canary?.message.includes(id), id)
      assert.match(
        canary?.hint ?? '',
        /^expect 3 rows from: dataset = infisical_audit_logs_raw \| filter id /,
      )
    }))

  test('a 400 stops the run, and tells the kind of collector that asks for other headers', () =>
    withTrial(async (trial) => {
      const deliver = delivery(trial)
      const other = await deliver(samples(1), 'other-door')
      assert.ok(other.stop instanceof RemoteConfigError)
      assert.match(other.stop.hint ?? '', /Custom HTTP Log Collector/)
      const plain = await deliver(samples(1), 'status=400')
      assert.ok(plain.stop instanceof RemoteConfigError)
      assert.match(plain.stop.hint ?? '', /check url/)
    }))

  test('a disabled collector is a refused key', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.enabled = false
      assert.ok((await delivery(trial)(samples(1))).stop instanceof AuthError)
      const checks = await trial.destination().test({ send: false, signal })
      assert.ok(checks.some(({ refused, hint }) => refused === true && hint?.includes('enabled')))
    }))

  test('a url without a path gets the path of the collector', () =>
    withTrial(async (trial) => {
      const { origin } = new URL(String(trial.settings['url']))
      const destination = trial.destination({ ...trial.settings, url: origin })
      const receipt = await destination.deliver(batchOf(destination, samples(1)), { signal })
      assert.deepEqual(fates(receipt, 1), ['accepted'])
    }))

  test('limits and grace are those of the contract; the guide holds the parsing rule', () =>
    withTrial(async (trial) => {
      const { limits, graceMs, lateDefault, accepts } = trial.destination().traits
      assert.deepEqual(
        [limits.maxEvents, limits.maxBytes, limits.maxEventBytes],
        [1000, 1_048_576, 5_000_000],
      )
      const { hard } = trial.definition.limits
      assert.deepEqual([hard.maxEvents, hard.maxBytes, hard.maxEventBytes], [null, 10_485_760, 5_000_000])
      assert.deepEqual([graceMs, lateDefault, accepts], [15 * MINUTE_MS, 'skip', {}])
      assert.match(XSIAM_GUIDE, /\[INGEST:vendor=.*\]\n\s+alter _time = parse_timestamp\(.*createdAt\)/)
      assert.match(XSIAM_GUIDE, /Authorization: <collector key>/)
    }))
})

describe('xsiam sandbox collector', () => {
  test('an array on one line is refused, kept as one record, or taken apart, as it is set', () =>
    withTrial(async (trial, sandbox) => {
      const post = (body: string, headers: Record<string, string> = {}) =>
        fetch(String(trial.settings['url']), {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: String(trial.settings['token']),
            ...headers,
          },
          body,
        })
      const array = JSON.stringify([streamedEvent(1, FAKE_START), streamedEvent(2, FAKE_START)])
      assert.equal((await post(array)).status, 500)
      sandbox.settings.arrayHandling = 'one-record'
      assert.equal(await (await post(array)).text(), '{"error": "false"}')
      assert.deepEqual(
        sandbox.rows().map((row) => row['_raw_log']),
        [array],
      )
      sandbox.settings.arrayHandling = 'explode'
      assert.equal((await post(array)).status, 200)
      assert.equal(sandbox.rows().length, 3)
      assert.equal((await post('{"ping":"ok"}')).status, 200, 'the ping of the live stream')
      for (const body of ['', '{}\n', '{}\n{', '"a"']) assert.equal((await post(body)).status, 500, body)
      assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 500)
      assert.equal((await post('{}', { authorization: `Bearer ${trial.settings['token']}` })).status, 401)
      assert.equal((await post(`{"a":"${'x'.repeat(5_000_000)}"}`)).status, 413)
      sandbox.settings.requestsPerSecond = 1
      assert.equal((await post('{}')).status, 429)
    }))
})
