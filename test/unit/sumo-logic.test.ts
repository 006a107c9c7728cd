import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { UserError } from '../../src/core/errors.ts'
import { DAY_MS } from '../../src/core/time-range.ts'
import { sumoLogic } from '../../src/destinations/sumo-logic/index.ts'
import type { SumoSandbox } from '../../src/sandbox/sumo-logic/index.ts'
import { startCapture } from '../support/capture.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, samples, startTrial, streamedEvent, type Trial } from '../support/trial.ts'

const signal = new AbortController().signal

describe('the Sumo Logic stream', () => {
  let trial: Trial
  let sandbox: SumoSandbox
  before(async () => {
    trial = await startTrial('sumo-logic')
    sandbox = trial.sandbox as SumoSandbox
  })
  after(() => trial.close())

  for (const token of ['sumo-token-1', undefined]) {
    test(`sends the bytes of the live stream ${token === undefined ? 'without' : 'with'} a token`, async () => {
      const capture = await startCapture()
      const destination = trial.destination({
        provider: 'sumo-logic',
        url: `${capture.url}/receiver/v1/http/Zcode`,
        token,
      })
      const receipt = await destination.deliver(batchOf(destination, samples(3)), { signal })
      await capture.close()
      const { body, headers, path } = capture.requests[0] ?? assert.fail()
      assert.deepEqual(fates(receipt, 3), ['accepted', 'accepted', 'accepted'])
      assert.equal(
        body.toString(),
        samples(3)
          .map(({ streamed }) => Buffer.from(streamed))
          .join('\n'),
      )
      assert.equal(headers['content-type'], 'application/x-ndjson')
      assert.equal(headers['x-sumo-token'], token)
      assert.equal(path, '/receiver/v1/http/Zcode')
      assert.deepEqual(
        Object.keys(headers).filter((name) => /^x-sumo-(?!token)/.test(name)),
        [],
      )
    })
  }

  test('an event too old or too far ahead is late, and one longer than 64 KB is refused before sending', () => {
    const { traits } = trial.destination()
    assert.deepEqual(traits.accepts, { pastMs: 365 * DAY_MS, futureMs: 2 * DAY_MS })
    assert.equal(traits.lateDefault, 'restamp')
    assert.equal(traits.limits.maxEventBytes, 65_536)
    const own = trial.destination({ ...trial.settings, acceptWindow: { past: '30d' } })
    assert.deepEqual(own.traits.accepts, { pastMs: 30 * DAY_MS, futureMs: 2 * DAY_MS })
  })

  test('a request holds a day of events at most, one request at a time, since others would be re-dated', () => {
    const { traits } = trial.destination()
    assert.deepEqual([traits.maxSpanMs, traits.concurrency], [DAY_MS, 1])
  })

  test('a 408 comes after the events were taken: unknown', async () => {
    const destination = trial.destination()
    const known = trial.held().length
    trial.faults.add('sumo-logic:timeout-after')
    const receipt = await destination.deliver(batchOf(destination, samples(2)), { signal })
    trial.faults.clear()
    assert.deepEqual(fates(receipt, 2), ['unknown', 'unknown'])
    assert.equal(trial.held().length - known, 2)
  })

  test('what Sumo re-dates in silence is exactly what the accept window calls late', async () => {
    const destination = trial.destination()
    const { pastMs = 0, futureMs = 0 } = destination.traits.accepts
    const now = trial.clock.now()
    const times = [now - pastMs - 1, now - pastMs, now + futureMs, now + futureMs + 1]
    // A source of its own, as the guide wants it for a refill.
    sandbox.settings.spreadMs = 0
    const events = times.map((at, i) => sample(streamedEvent(9000 + i, at)))
    const before = sandbox.rewritten().length
    const receipt = await destination.deliver(batchOf(destination, events), { signal })
    assert.deepEqual(fates(receipt, 4), ['accepted', 'accepted', 'accepted', 'accepted'])
    assert.deepEqual(sandbox.rewritten().slice(before), [events[0]?.event.id, events[3]?.event.id])
    assert.equal(sandbox.rows().at(-1)?.['_messagetime'], now)
    assert.equal(sandbox.rows().at(-1)?.['createdAt'], events[3]?.event.occurredAt, 'its own time stays')
    sandbox.settings.spreadMs = DAY_MS
  })

  test('a shared source re-dates what is a day away from the message before', async () => {
    const shared = await startTrial('sumo-logic')
    const { rewritten } = shared.sandbox as SumoSandbox
    shared.sandbox.preload?.([streamedEvent(1, FAKE_START - 60_000)])
    const destination = shared.destination()
    const old = sample(streamedEvent(2, FAKE_START - 3 * DAY_MS))
    await destination.deliver(batchOf(destination, [old]), { signal })
    await shared.close()
    assert.deepEqual(rewritten(), [old.event.id])
  })

  test('a message that is longer than 64 KB would be split', async () => {
    const other = await startTrial('sumo-logic')
    const destination = other.destination()
    const long = sample(streamedEvent(1, FAKE_START, { projectName: 'x'.repeat(70_000) }))
    await destination.deliver(batchOf(destination, [long]), { signal })
    const rows = other.sandbox.rows?.().length
    await other.close()
    assert.deepEqual([rows, other.sandbox.violations[0]?.rule], [2, 'split'])
  })

  for (const [title, url] of [
    ['no URL', 'env-without-its-colon-SECRETCODE'],
    ['a plain http URL off loopback', 'http://collector.example/receiver/v1/http/SECRETCODE'],
    ['an address without its code', 'https://collector.example'],
  ]) {
    test(`an address that is ${title} is an error that does not show it`, async () => {
      const destination = trial.destination({ provider: 'sumo-logic', url })
      await assert.rejects(
        destination.deliver(batchOf(destination, samples(1)), { signal }),
        (error: unknown) => {
          assert.ok(error instanceof UserError)
          assert.ok(error.hint)
          return !`${error.message} ${error.hint}`.includes('SECRETCODE')
        },
      )
    })
  }

  test('nothing but a reveal knows the address', () => {
    const options = sumoLogic.options.parse({ provider: 'sumo-logic', url: 'https://c.example/SECRETCODE' })
    assert.doesNotMatch(JSON.stringify(options), /SECRETCODE/)
  })

  test('the rows that a run has marked can be left out', () => {
    assert.equal(
      trial.destination().replayQuery?.('01RUN'),
      '| json "auditctl.run" as replay nodrop | where isBlank(replay) or replay != "01RUN"',
    )
  })
})
