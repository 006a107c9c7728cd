import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Destination, Receipt } from '../../src/core/destination.ts'
import { AuthError, RemoteConfigError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/event.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import type { ReceiverTrials } from '../../src/sandbox/service.ts'
import {
  batchOf,
  fates,
  type Sample,
  sample,
  samples,
  startTrial,
  streamedEvent,
  type Trial,
  tried,
} from '../support/trial.ts'

const signal = new AbortController().signal
const MARK = { run: '01RUN', backfilledAt: '2026-11-20T12:00:00.000Z' }

for (const provider of tried(Object.keys(DESTINATIONS))) {
  describe(`destination ${provider}`, () => {
    const shown: string[] = []
    let trial: Trial
    let receiver: ReceiverTrials

    before(async () => {
      trial = await startTrial(provider)
      assert.ok(trial.sandbox.trials?.receiver, `the sandbox of ${provider} has no trials for a receiver`)
      receiver = trial.sandbox.trials.receiver
    })
    after(() => trial?.close())

    /** Delivers with one fault; answers the receipt, the fate of each event, and what arrived because of it. */
    async function deliver(
      events: readonly Sample[],
      options: { fault?: string; settings?: JsonObject; timeoutMs?: number; destination?: Destination } = {},
    ): Promise<{ receipt: Receipt; fates: string[]; arrived: readonly string[] }> {
      const destination = options.destination ?? trial.destination(options.settings, options.timeoutMs)
      const known = trial.held().length
      if (options.fault !== undefined) trial.faults.add(options.fault)
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      trial.faults.clear()
      shown.push(JSON.stringify(receipt), String(receipt.stop?.stack), String(receipt.stop?.hint))
      return { receipt, fates: fates(receipt, events.length), arrived: trial.held().slice(known) }
    }

    test('its definition is of a piece', () => {
      const { definition } = trial
      assert.equal(definition.provider, provider)
      const { default: usual, hard } = definition.limits
      assert.ok(usual.maxBytes <= hard.maxBytes && usual.maxEventBytes <= hard.maxEventBytes)
      assert.ok(hard.maxEvents === null || (usual.maxEvents !== null && usual.maxEvents <= hard.maxEvents))
      assert.match(Object.values(definition.frame).join(''), /^[\x20-\x7e\n]*$/)
      assert.ok(definition.guide().length > 200)
      const above = { ...trial.settings, batch: { maxBytes: hard.maxBytes + 1 } }
      assert.equal(definition.options.safeParse(above).success, false, 'a batch above the hard limit')
      assert.equal(
        definition.options.safeParse({ ...trial.settings, tokne: 'x' }).success,
        false,
        'an unknown key',
      )
      const { traits } = trial.destination({ ...trial.settings, batch: { maxEvents: 7, maxBytes: 77_777 } })
      assert.deepEqual([traits.limits.maxEvents, traits.limits.maxBytes], [7, 77_777])
    })

    test('encode is pure, keeps the event to the byte, and marks inside the event', () => {
      const destination = trial.destination()
      const { event, streamed } = sample(streamedEvent(1, trial.clock.now() - 60_000))
      const kept = Buffer.from(streamed)
      const plain = Buffer.from(destination.encode(streamed, event, { restamp: false }))
      trial.clock.advance(5)
      destination.encode(streamed, event, { restamp: true, mark: MARK })
      assert.deepEqual(Buffer.from(destination.encode(streamed, event, { restamp: false })), plain)
      assert.deepEqual(Buffer.from(streamed), kept)
      assert.ok(plain.includes(kept.subarray(1, -1)), 'the event stands in it as it was')
      const marked = Buffer.from(
        destination.encode(streamed, event, { restamp: false, mark: MARK }),
      ).toString()
      assert.ok(marked.includes(`"auditctl":${JSON.stringify(MARK)}`))
      assert.doesNotThrow(() => JSON.parse(marked))
      shown.push(plain.toString(), marked)
    })

    test('encodeInto, where there is one, writes what encode gives and not a byte beside it', () => {
      const destination = trial.destination()
      const { event, streamed } = sample(streamedEvent(1, trial.clock.now() - 60_000))
      if (destination.encodeInto === undefined) return
      for (const options of [{ restamp: false }, { restamp: true }, { restamp: false, mark: MARK }]) {
        const encoded = Buffer.from(destination.encode(streamed, event, options))
        const room = Buffer.alloc(encoded.length + 300, 0x23)
        const end = destination.encodeInto(room, 100, streamed, event, options)
        assert.deepEqual(room.subarray(100, end), encoded)
        assert.equal(room.subarray(0, 100).toString() + room.subarray(end).toString(), '#'.repeat(300))
        const tight = Buffer.alloc(encoded.length + 99, 0x23)
        assert.equal(destination.encodeInto(tight, 100, streamed, event, options), -1)
        assert.match(tight.toString(), /^#+$/)
      }
    })

    for (const [limit, more] of [
      ['events', {}],
      ['bytes', { projectName: 'é🔑'.repeat(1500) }],
    ] as const) {
      test(`a batch as full of ${limit} as the limits allow is accepted, each event once`, async () => {
        const destination = trial.destination()
        const { limits, frame } = destination.traits
        const events: Sample[] = []
        let bytes = frame.open.length + frame.close.length
        for (const event of samples(Math.min(limits.maxEvents ?? 2000, 2000), more)) {
          const encoded = destination.encode(event.streamed, event.event, { restamp: false })
          const added = encoded.length + (events.length === 0 ? 0 : frame.separator.length)
          if (bytes + added > limits.maxBytes) break
          events.push(event)
          bytes += added
        }
        const { receipt, fates, arrived } = await deliver(events, { destination })
        assert.deepEqual(new Set(fates), new Set(['accepted']), receipt.reason)
        assert.deepEqual(
          arrived,
          events.map(({ event }) => event.id),
        )
        assert.deepEqual(trial.sandbox.violations, [])
      })
    }

    test('variants of the settings deliver as the plain one does', async () => {
      for (const { title, settings } of receiver.variants ?? []) {
        const events = samples(3)
        const { receipt, fates, arrived } = await deliver(events, { settings })
        assert.deepEqual(fates, ['accepted', 'accepted', 'accepted'], `${title}: ${receipt.reason}`)
        assert.deepEqual(
          arrived,
          events.map(({ event }) => event.id),
          title,
        )
      }
      assert.deepEqual(trial.sandbox.violations, [])
    })

    test('told to slow down, nothing was stored and the wait is passed on', async () => {
      const { receipt, fates, arrived } = await deliver(samples(2), { fault: receiver.faults.throttled })
      assert.deepEqual(fates, ['retry', 'retry'])
      assert.equal(receipt.retryAfterMs, 2000)
      assert.deepEqual(arrived, [], 'deliver never tries again by itself')
    })

    for (const kind of ['resetBefore', 'resetAfter', 'errorAfter', 'proxyPage'] as const) {
      test(`${kind} leaves the batch unknown`, async () => {
        const { receipt, fates } = await deliver(samples(2), { fault: receiver.faults[kind] })
        assert.deepEqual(fates, ['unknown', 'unknown'], receipt.reason)
        assert.notEqual(receipt.code, '')
        assert.equal(receipt.stop, undefined)
      })
    }

    test('an answer that comes too late leaves the batch unknown', async () => {
      const { receipt, fates } = await deliver(samples(2), { fault: receiver.faults.slow, timeoutMs: 200 })
      assert.deepEqual(fates, ['unknown', 'unknown'], receipt.reason)
    })

    test('a receiver that cannot be reached has stored nothing', async () => {
      const gone = await startTrial(provider)
      const destination = gone.destination()
      await gone.sandbox.close()
      const receipt = await destination.deliver(batchOf(destination, samples(2)), { signal })
      assert.deepEqual(fates(receipt, 2), ['retry', 'retry'])
      await gone.close().catch(() => {})
    })

    for (const status of [
      301, 307, 400, 402, 404, 405, 408, 409, 410, 413, 415, 422, 425, 429, 431, 500, 502, 503, 504, 520,
    ]) {
      test(`status ${status} without a word is judged as the contract says`, async () => {
        const { receipt, fates, arrived } = await deliver(samples(2), { fault: receiver.status(status) })
        assert.deepEqual(arrived, [])
        if (status === 413) assert.deepEqual(fates, ['split', 'split'])
        else if (status === 429) assert.deepEqual(fates, ['retry', 'retry'])
        else if (status === 408 || status >= 500) assert.deepEqual(fates, ['unknown', 'unknown'])
        else
          assert.ok(
            fates.every((fate) => fate === 'retry' || fate === 'split'),
            `${fates}: ${receipt.reason}`,
          )
        assert.match(receipt.reason, new RegExp(String(status)))
      })
    }

    for (const status of [401, 403]) {
      test(`status ${status} stops the run with a hint`, async () => {
        const { receipt, fates } = await deliver(samples(2), { fault: receiver.status(status) })
        assert.ok(receipt.stop instanceof AuthError)
        assert.ok(receipt.stop.hint)
        assert.deepEqual(fates, ['retry', 'retry'])
      })
    }

    test('refused credentials stop the run, nothing stored', async () => {
      const { receipt, fates, arrived } = await deliver(samples(2), { settings: receiver.refused })
      assert.ok(receipt.stop instanceof AuthError, receipt.reason)
      assert.ok(receipt.stop.hint)
      assert.deepEqual([fates, arrived], [['retry', 'retry'], []])
    })

    test('a refused configuration stops the run, nothing stored', async () => {
      if (receiver.misconfigured === undefined) return
      const { receipt, fates, arrived } = await deliver(samples(2), { settings: receiver.misconfigured })
      assert.ok(receipt.stop instanceof RemoteConfigError, receipt.reason)
      assert.ok(receipt.stop.hint)
      assert.deepEqual([fates, arrived], [['retry', 'retry'], []])
    })

    for (const place of [0, 4, 8]) {
      test(`one refused event at ${place} of 9 is isolated and its neighbours arrive once`, async () => {
        if (receiver.poison === undefined) return
        const events = samples(9)
        const poisoned = events[place]?.event.id ?? ''
        const destination = trial.destination()
        const known = trial.held().length
        trial.faults.add(receiver.poison(poisoned))
        const refused = await settle(destination, events)
        trial.faults.clear()
        assert.deepEqual(refused, [poisoned])
        const arrived = trial.held().slice(known)
        assert.deepEqual(
          arrived.toSorted(),
          events.map(({ event }) => event.id).filter((id) => id !== poisoned),
        )
      })
    }

    test('an abort ends a delivery at once', async () => {
      const destination = trial.destination()
      const controller = new AbortController()
      trial.faults.add(receiver.faults.slow)
      const started = performance.now()
      setTimeout(() => controller.abort(new Error('asked to stop')), 100)
      const outcome = await destination
        .deliver(batchOf(destination, samples(2)), { signal: controller.signal })
        .then((receipt) => fates(receipt, 2).join(), String)
      trial.faults.clear()
      assert.ok(performance.now() - started < 2000)
      assert.match(outcome, /unknown,unknown|asked to stop/)
    })

    test('a signal that has already fired sends nothing', async () => {
      const destination = trial.destination()
      const known = trial.held().length
      const reason = new Error('asked to stop')
      await assert.rejects(
        destination.deliver(batchOf(destination, samples(2)), { signal: AbortSignal.abort(reason) }),
        reason,
      )
      assert.equal(trial.held().length, known)
    })

    test('test() sends an event only when asked, and says what it did not prove', async () => {
      const destination = trial.destination()
      const rowsBefore = trial.sandbox.rows?.().length ?? 0
      const checks = await destination.test({ send: false, signal })
      assert.ok(checks.length > 0)
      assert.deepEqual(
        checks.filter(({ state }) => state === 'failure'),
        [],
      )
      assert.equal(trial.sandbox.rows?.().length, rowsBefore)
      const sent = await destination.test({ send: true, signal })
      assert.deepEqual(
        sent.filter(({ state }) => state === 'failure'),
        [],
      )
      assert.equal(trial.sandbox.rows?.().length, rowsBefore + (destination.traits.canaries ?? 1))
      shown.push(JSON.stringify([checks, sent]))
    })

    test('test() fails with a hint when the credentials are refused', async () => {
      // Some products can only be asked with an event.
      const checks = await trial.destination(receiver.refused).test({ send: true, signal })
      const failure = checks.find(({ state }) => state === 'failure')
      assert.ok(failure?.hint, JSON.stringify(checks))
      shown.push(JSON.stringify(checks))
    })

    test('the replay query names the run', () => {
      const query = trial.destination().replayQuery?.('01RUN')
      if (query !== undefined) assert.match(query, /01RUN/)
    })

    test('the credentials appear nowhere', () => {
      const everything = shown.join('\n') + JSON.stringify(trial.sandbox.rows?.().slice(-20))
      for (const secret of receiver.secrets) assert.ok(!everything.includes(secret), 'a secret was shown')
    })
  })
}

/** Delivers as a run does: halves what may pass in smaller requests, sends again what was not stored. Answers the ids refused for good. */
async function settle(destination: Destination, events: readonly Sample[]): Promise<string[]> {
  const refused: string[] = []
  const queue: (readonly Sample[])[] = [events]
  for (let requests = 0; queue.length > 0; requests += 1) {
    assert.ok(requests < 40, 'it does not come to an end')
    const batch = queue.shift() ?? []
    const receipt = await destination.deliver(batchOf(destination, batch), { signal })
    assert.equal(receipt.stop, undefined)
    const fate = fates(receipt, batch.length)
    assert.ok(!fate.includes('unknown'), receipt.reason)
    const of = (kind: string) => batch.filter((_, i) => fate[i] === kind)
    refused.push(...of('rejected').map(({ event }) => event.id))
    if (of('retry').length > 0) queue.push(of('retry'))
    const split = of('split')
    if (split.length === 1) refused.push(...split.map(({ event }) => event.id))
    if (split.length > 1) queue.push(split.slice(0, split.length >> 1), split.slice(split.length >> 1))
  }
  return refused
}
