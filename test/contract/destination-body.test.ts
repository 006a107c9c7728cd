import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DeliveryBatch, Destination } from '../../src/core/destination.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { Packer } from '../../src/operations/backfill/packer.ts'
import { batchOf, fates, type Sample, samples, startTrial, type Trial, tried } from '../support/trial.ts'

const signal = new AbortController().signal

/** As a backfill packs them: one body, and whoever asks for the events apart from it makes them for nothing. */
function packed(destination: Destination, events: readonly Sample[]): DeliveryBatch {
  const packer = new Packer(destination, destination.traits)
  for (const [position, { event, streamed }] of events.entries()) {
    packer.write(streamed, event, { restamp: false })
    const place = { position, spoolFrom: position, spoolTo: position + 1 }
    const full = packer.keep({ ...place, atMs: event.occurredAtMs, isRestamped: false, notRebuilt: [] })
    assert.equal(full, undefined)
  }
  const batch = packer.finish()
  assert.ok(batch !== undefined)
  return {
    get encoded(): never {
      throw new Error('the events were asked for apart from their body')
    },
    ids: events.map(({ event }) => event.id),
    count: batch.count,
    run: 'run-1',
    body: batch.body,
  }
}

for (const provider of tried(Object.keys(DESTINATIONS))) {
  describe(`destination ${provider} given a whole body`, () => {
    let trial: Trial
    before(async () => {
      trial = await startTrial(provider)
    })
    after(() => trial?.close())

    test('sends it as it is, and never asks for the events apart', async () => {
      const variants = trial.sandbox.trials?.receiver?.variants ?? []
      for (const settings of [trial.settings, ...variants.map((variant) => variant.settings)]) {
        const destination = trial.destination(settings)
        const { maxEvents } = destination.traits.limits
        const events = samples(Math.min(maxEvents ?? 7, 7))
        const known = trial.held().length
        const apart = await destination.deliver(batchOf(destination, events), { signal })
        const whole = await destination.deliver(packed(destination, events), { signal })
        assert.deepEqual(fates(whole, events.length), fates(apart, events.length), whole.reason)
        assert.deepEqual(new Set(fates(whole, events.length)), new Set(['accepted']))
        const ids = events.map(({ event }) => event.id)
        assert.deepEqual(trial.held().slice(known), [...ids, ...ids])
      }
      assert.deepEqual(trial.sandbox.violations, [])
    })

    test('encodes straight into it', () => {
      assert.notEqual(trial.destination().encodeInto, undefined)
    })
  })
}
