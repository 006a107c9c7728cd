import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { HOUR_MS } from '../../src/core/time-range.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { type Mischief, pass, type Tampered, tampered } from '../support/tamper.ts'
import { batchOf, fates, samples, startTrial, type Trial, tried } from '../support/trial.ts'

const signal = new AbortController().signal
/** Stands in the id of every sample. */
const MARK = '00000000-0000-4000-8000-'
const NOW = 'Fri, 20 Nov 2026 12:00:00 GMT'

/** What a 2xx without a word means: a yes only where it is the product's own. */
const OWN_YES: Readonly<Record<string, readonly number[]>> = {
  datadog: [202],
  azure: [204],
  'better-stack': [202],
  cribl: [200, 201, 202, 204, 206],
  custom: [200, 201, 202, 204, 206],
  'sumo-logic': [200, 201, 202, 204, 206],
}

const RETRY_AFTER: readonly (readonly [value: string, ms: number | undefined])[] = [
  ['2', 2000],
  [' 30 ', 30_000],
  ['0', 0],
  ['1.5', 1500],
  ['-5', 0],
  ['86400', 86_400_000],
  // A date in each of its three spellings, measured by the server's own clock.
  ['Fri, 20 Nov 2026 12:00:45 GMT', 45_000],
  ['Friday, 20-Nov-26 12:00:45 GMT', 45_000],
  ['Fri Nov 20 12:00:45 2026', 45_000],
  ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
  ['soon', undefined],
  ['1e3', undefined],
]

/** A piece of the answer at a time. */
const drip =
  (everyMs: number): Mischief =>
  async (response, forward) => {
    const { status, headers, body } = await forward()
    const { connection: _, 'transfer-encoding': __, ...own } = headers
    // A little more than there is to say, so that an empty answer drips as well.
    const text = Buffer.concat([body, Buffer.from('   ')])
    const isEmpty = status === 204
    response.writeHead(isEmpty ? 200 : status, { ...own, 'content-length': text.length })
    for (const byte of text) {
      response.write(Buffer.of(byte))
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    response.end()
  }

for (const provider of tried(Object.keys(DESTINATIONS))) {
  describe(`destination ${provider} on a bad day`, () => {
    let trial: Trial
    let front: Tampered

    before(async () => {
      trial = await startTrial(provider)
      front = await tampered(trial.settings, MARK)
    })
    afterEach(() => {
      front.mischief = undefined
    })
    after(async () => {
      await front?.close()
      await trial?.close()
    })

    async function deliver(mischief: Mischief | undefined, timeoutMs?: number) {
      front.mischief = mischief
      const events = samples(2)
      const destination = trial.destination(front.settings, timeoutMs)
      const known = trial.held().length
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      front.mischief = undefined
      return { receipt, fates: fates(receipt, 2), arrived: trial.held().length - known }
    }

    test('the proxy in between changes nothing by itself', async () => {
      const { fates, arrived, receipt } = await deliver(undefined)
      assert.deepEqual([fates, arrived], [['accepted', 'accepted'], 2], receipt.reason)
    })

    for (const [value, ms] of RETRY_AFTER) {
      test(`Retry-After: ${value} is ${ms === undefined ? 'no word' : `${ms} ms`}, whatever our own clock says`, async () => {
        trial.clock.advance(3 * HOUR_MS)
        const { receipt, fates, arrived } = await deliver((response) => {
          response.writeHead(429, { 'retry-after': value, date: NOW }).end('slow down')
        })
        trial.clock.advance(-3 * HOUR_MS)
        assert.deepEqual([fates, arrived], [['retry', 'retry'], 0])
        assert.equal(receipt.retryAfterMs, ms)
        assert.equal(receipt.stop, undefined)
      })
    }

    for (const status of [200, 201, 202, 204, 206]) {
      const isYes = OWN_YES[provider]?.includes(status) === true
      test(`a bare ${status} is ${isYes ? 'a yes' : 'something in between, and no yes'}`, async () => {
        const { fates, arrived } = await deliver((response) => void response.writeHead(status).end())
        assert.equal(arrived, 0)
        assert.deepEqual(new Set(fates), new Set([isYes ? 'accepted' : 'unknown']))
      })
    }

    test('an answer that drips in time is an answer', async () => {
      const { fates, arrived, receipt } = await deliver(async (response, forward) => {
        const { status, headers, body } = await forward()
        const { connection: _, 'transfer-encoding': __, ...own } = headers
        response.writeHead(status, { ...own, 'content-length': body.length })
        for (const byte of body) {
          response.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
        response.end()
      }, 10_000)
      assert.deepEqual([fates, arrived], [['accepted', 'accepted'], 2], receipt.reason)
    })

    test('an answer that drips for longer than a request may take leaves the batch unknown', async () => {
      const started = performance.now()
      const { fates, arrived } = await deliver(drip(400), 300)
      assert.deepEqual(fates, ['unknown', 'unknown'])
      assert.equal(arrived, 2, 'it was stored')
      assert.ok(performance.now() - started < 5000)
    })

    test('an answer that breaks off in its head or its body leaves the batch unknown', async () => {
      for (const begin of [undefined, '{"tex'] as const) {
        const { fates, arrived } = await deliver(async (response, forward) => {
          await forward()
          if (begin === undefined) response.socket?.write('HTTP/1.1 20')
          else response.writeHead(200, { 'content-length': 500 }).write(begin)
          setTimeout(() => response.socket?.resetAndDestroy(), 20)
        })
        assert.deepEqual([fates, arrived], [['unknown', 'unknown'], 2])
      }
    })

    test('an answer that is no HTTP leaves the batch unknown', async () => {
      const { fates, arrived } = await deliver((response) => {
        response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')
      })
      assert.deepEqual([fates, arrived], [['unknown', 'unknown'], 0])
    })

    test('an endless answer is cut off and leaves the batch unknown', async () => {
      const { fates } = await deliver(async (response, forward) => {
        await forward()
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 1e12 })
        response.write('x'.repeat(1000))
      })
      assert.deepEqual(fates, ['unknown', 'unknown'])
    })

    test('a redirect is never followed, and its target never learns of the events', async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        const { fates, arrived } = await deliver((response) => {
          response.writeHead(status, { location: '/elsewhere' }).end()
        })
        assert.equal(arrived, 0)
        assert.ok(!fates.includes('accepted') && !fates.includes('unknown'), `${status}: ${fates}`)
      }
    })

    test('a clock that is hours off changes neither what is sent nor what it is taken for', async () => {
      const events = samples(2)
      const destination = trial.destination(front.settings)
      const before = batchOf(destination, events).encoded.map(String)
      trial.clock.advance(-5 * HOUR_MS)
      front.mischief = async (response, forward) => {
        const reply = await forward()
        pass(response, { ...reply, headers: { ...reply.headers, date: 'Mon, 01 Jan 2024 00:00:00 GMT' } })
      }
      const receipt = await destination.deliver(batchOf(destination, events), { signal })
      trial.clock.advance(5 * HOUR_MS)
      assert.deepEqual(fates(receipt, 2), ['accepted', 'accepted'], receipt.reason)
      assert.deepEqual(batchOf(destination, events).encoded.map(String), before)
    })
  })
}
