import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOUR_MS, isoTime } from '../../src/core/time-range.ts'
import { batchOf, samples, startTrial } from '../support/trial.ts'

/** Receivers without a search of their own: an address beside them tells the ids they hold. */
const RECEIVERS = ['cribl', 'sumo-logic', 'custom'] as const

describe('the ids that a sandbox tells', () => {
  for (const provider of RECEIVERS) {
    test(`of ${provider} lag behind what it stored, for as long as index-delay says`, async () => {
      const trial = await startTrial(provider)
      try {
        trial.faults.add(`${provider}:index-delay=30000`)
        const destination = trial.destination()
        const sent = batchOf(destination, samples(3))
        await destination.deliver(sent, { signal: new AbortController().signal })
        assert.deepEqual(trial.held(), sent.ids)
        const { url, headers } = trial.settings['inventory'] as {
          readonly url: string
          readonly headers: Record<string, string>
        }
        const address = url
          .replace('{from}', isoTime(trial.clock.now() - HOUR_MS))
          .replace('{to}', isoTime(trial.clock.now()))
        const told = async () => {
          const { items } = (await (await fetch(address, { headers })).json()) as { items: { id: string }[] }
          return items.map(({ id }) => id)
        }
        trial.clock.advance(29_999)
        assert.deepEqual(await told(), [])
        trial.clock.advance(1)
        assert.deepEqual(await told(), sent.ids)
      } finally {
        await trial.close()
      }
    })
  }
})
