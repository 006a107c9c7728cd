import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Receipt } from '../../src/core/destination.ts'
import { AuthError, ContractError, RemoteConfigError } from '../../src/core/errors.ts'
import { hecBase } from '../../src/destinations/splunk/options.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, fates, sample, samples, startTrial, streamedEvent, type Trial } from '../support/trial.ts'

const signal = new AbortController().signal
const AT = Date.parse('2025-01-15T00:11:25.552Z')

describe('splunk destination', () => {
  let trial: Trial
  before(async () => {
    trial = await startTrial('splunk')
  })
  after(() => trial.close())

  const encoded = (settings: object, options = { restamp: false }) => {
    const { event, streamed } = sample(streamedEvent(1, AT))
    const bytes = trial.destination({ ...trial.settings, ...settings }).encode(streamed, event, options)
    return { text: Buffer.from(bytes).toString(), event: Buffer.from(streamed).toString() }
  }

  test('encode writes the keys of the live stream in its order', () => {
    const plain = encoded({ index: undefined })
    assert.equal(
      plain.text,
      `{"time":1736899885.552,"source":"infisical","sourcetype":"_json","event":${plain.event}}`,
    )
    const full = encoded({
      host: 'vault.example.test:8443',
      source: 'a "b"',
      sourcetype: 'my:json',
      index: 'audit',
    })
    assert.equal(
      full.text,
      `{"time":1736899885.552,"host":"vault.example.test:8443","source":"a \\"b\\"","sourcetype":"my:json","index":"audit","event":${full.event}}`,
    )
  })

  test('encode writes every time as JSON writes its seconds', () => {
    const destination = trial.destination()
    const times = [
      0,
      1,
      999_999_999_999,
      1e12,
      1e12 + 1,
      1e12 + 10,
      1e12 + 120,
      1e13 - 1,
      1e13,
      AT,
      AT + 448,
      -1500,
    ]
    for (let i = 0; i < 3000; i += 1) times.push(Math.floor(trial.clock.random() * 2e13))
    for (const occurredAtMs of times) {
      const { event, streamed } = sample(streamedEvent(1, AT))
      const moved = { ...event, source: 'infisical', occurredAtMs } as typeof event
      const text = Buffer.from(destination.encode(streamed, moved, { restamp: false })).toString()
      assert.ok(text.startsWith(`{"time":${JSON.stringify(occurredAtMs / 1000)},"source"`), text.slice(0, 40))
    }
  })

  test('encode leaves the time out when it is not to be told', () => {
    for (const { text } of [encoded({ eventTime: false }), encoded({}, { restamp: true })]) {
      assert.ok(text.startsWith('{"source":"infisical"'), text)
      assert.doesNotThrow(() => JSON.parse(text))
    }
  })

  test('a url may be pasted with any of the endpoints of HEC', () => {
    for (const path of [
      '',
      '/',
      '/services/collector',
      '/services/collector/event',
      '/services/collector/event/1.0?x=1',
    ]) {
      assert.equal(hecBase(`https://hec.example:8088${path}`), 'https://hec.example:8088')
    }
    assert.equal(
      hecBase('https://proxy.example/splunk/services/collector/raw'),
      'https://proxy.example/splunk',
    )
  })

  async function deliver(fault: string, count = 5): Promise<Receipt> {
    const destination = trial.destination()
    trial.faults.add(fault)
    const receipt = await destination.deliver(batchOf(destination, samples(count)), { signal })
    trial.faults.clear()
    return receipt
  }

  /** What HEC says, and what becomes of five events: a accepted, v unverified, x rejected, r retry, s split, u unknown. */
  const MATRIX: readonly [said: string, fate: string, stop?: unknown][] = [
    ['200/0', 'aaaaa'],
    ['200/24', 'aaaaa'],
    ['200/25', 'aaaaa'],
    ['200/17', 'uuuuu'],
    ['200/99', 'uuuuu'],
    ['401/2', 'rrrrr', AuthError],
    ['401/3', 'rrrrr', AuthError],
    ['403/1', 'rrrrr', AuthError],
    ['403/4', 'rrrrr', AuthError],
    ['400/16', 'rrrrr', AuthError],
    ['400/21', 'rrrrr', AuthError],
    ['400/22', 'rrrrr', AuthError],
    ['400/5', 'rrrrr', ContractError],
    ['400/10', 'rrrrr', RemoteConfigError],
    ['400/11', 'rrrrr', RemoteConfigError],
    ['400/14', 'rrrrr', RemoteConfigError],
    ['400/28', 'rrrrr', RemoteConfigError],
    ['404/404', 'rrrrr', RemoteConfigError],
    ['400/6/0', 'xrrrr'],
    ['400/6/2', 'vvxrr'],
    ['400/12/4', 'vvvvx'],
    ['400/13/1', 'vxrrr'],
    ['400/15/3', 'vvvxr'],
    // A wrong index is reported one too high.
    ['400/7/3', 'vvxrr'],
    ['400/7/5', 'vvvvx'],
    ['400/7/1', 'rrrrr', RemoteConfigError],
    ['400/7/0', 'rrrrr', RemoteConfigError],
    ['400/7/6', 'uuuuu', RemoteConfigError],
    ['400/7', 'uuuuu', RemoteConfigError],
    // A number that names none of the events tells nothing.
    ['400/6', 'uuuuu'],
    ['400/6/5', 'uuuuu'],
    ['400/12/-1', 'uuuuu'],
    ['400/13/1.5', 'uuuuu'],
    ['400/77', 'sssss'],
    ['429/26', 'rrrrr'],
    ['429/27', 'rrrrr'],
    ['500/8', 'uuuuu'],
    ['503/9', 'rrrrr'],
    ['503/9/2', 'vvuuu'],
    ['503/9/0', 'uuuuu'],
    ['503/9/9', 'uuuuu'],
    ['503/18', 'rrrrr'],
    ['503/19', 'rrrrr'],
    ['503/20', 'rrrrr'],
    ['503/23', 'rrrrr'],
    ['503/8', 'uuuuu'],
    ['502/9', 'uuuuu'],
    ['413/6', 'sssss'],
    ['408/9', 'uuuuu'],
  ]
  const LETTERS: Readonly<Record<string, string>> = {
    accepted: 'a',
    unverified: 'v',
    rejected: 'x',
    retry: 'r',
    split: 's',
    unknown: 'u',
  }
  for (const [said, expected, stop] of MATRIX) {
    test(`the answer ${said} means ${expected}${stop === undefined ? '' : ' and a stop'}`, async () => {
      const receipt = await deliver(`splunk:hec=${said}`)
      assert.equal(
        fates(receipt, 5)
          .map((fate) => LETTERS[fate])
          .join(''),
        expected,
        receipt.reason,
      )
      if (stop === undefined) assert.equal(receipt.stop, undefined)
      else
        assert.ok(
          receipt.stop instanceof (stop as typeof AuthError) && receipt.stop.hint,
          String(receipt.stop),
        )
      const [, code] = said.split('/')
      assert.equal(receipt.code, `hec-${code}`)
    })
  }

  test('one event alone is refused even without a number', async () => {
    const receipt = await deliver('splunk:hec=400/6', 1)
    assert.deepEqual(fates(receipt, 1), ['rejected'])
  })

  test('accepted with a request to slow down asks for a pause', async () => {
    const receipt = await deliver('splunk:slow-down')
    assert.deepEqual(new Set(fates(receipt, 5)), new Set(['accepted']))
    assert.ok((receipt.slowDownMs ?? 0) > 0)
  })

  test('a large body whose first event is refused as malformed is split, a small one is not', async () => {
    const destination = trial.destination({ ...trial.settings, batch: { maxBytes: 3_000_000 } })
    const events = samples(3, { projectName: 'x'.repeat(600_000) })
    trial.faults.add('splunk:hec=400/6/0')
    const receipt = await destination.deliver(batchOf(destination, events), { signal })
    trial.faults.clear()
    assert.deepEqual(fates(receipt, 3), ['split', 'split', 'split'])
  })

  test('three requests in a row refused at their first event are configuration', async () => {
    const destination = trial.destination()
    const said = async (fault: string) => {
      trial.faults.add(fault)
      const receipt = await destination.deliver(batchOf(destination, samples(3)), { signal })
      trial.faults.clear()
      return receipt
    }
    await said('splunk:hec=400/13/0')
    await said('splunk:hec=400/13/0')
    await said('splunk:hec=200/0')
    assert.equal((await said('splunk:hec=400/13/0')).stop, undefined, 'a success in between begins anew')
    assert.equal((await said('splunk:hec=400/12/0')).stop, undefined, 'so does another code')
    assert.equal((await said('splunk:hec=400/12/0')).stop, undefined)
    const third = await said('splunk:hec=400/12/0')
    assert.ok(third.stop instanceof RemoteConfigError)
    assert.deepEqual(fates(third, 3), ['retry', 'retry', 'retry'])
  })

  describe('with indexer acknowledgment', () => {
    const ack = () =>
      trial.sandbox.trials?.receiver?.variants?.find(({ title }) => title === 'acknowledge')?.settings
    const send = async (faults: readonly string[], settings = ack()) => {
      const destination = trial.destination(settings)
      for (const fault of faults) trial.faults.add(fault)
      const started = trial.clock.monotonic()
      const receipt = await destination.deliver(batchOf(destination, samples(2)), { signal })
      trial.faults.clear()
      return { receipt, waitedMs: trial.clock.monotonic() - started }
    }

    test('a batch is accepted once the indexer said so', async () => {
      const { receipt, waitedMs } = await send([])
      assert.deepEqual(fates(receipt, 2), ['accepted', 'accepted'])
      assert.equal(waitedMs, 1000)
    })

    test('a poll that reached another node is asked again', async () => {
      const { receipt } = await send(['splunk:ack-elsewhere@1x3'])
      assert.deepEqual(fates(receipt, 2), ['accepted', 'accepted'])
    })

    test('a batch that is never acknowledged is unknown after five minutes', async () => {
      const { receipt, waitedMs } = await send(['splunk:ack-never'])
      assert.deepEqual(fates(receipt, 2), ['unknown', 'unknown'])
      assert.ok(waitedMs >= 300_000 && waitedMs <= 310_000, String(waitedMs))
    })

    test('a restart of the service leaves the batch unknown', async () => {
      const { receipt } = await send(['splunk:ack-restart'])
      assert.deepEqual(fates(receipt, 2), ['unknown', 'unknown'])
    })

    test('a token without it stops the run, and what was stored counts', async () => {
      const { receipt } = await send([], { ...trial.settings, acknowledge: true })
      assert.deepEqual(fates(receipt, 2), ['accepted', 'accepted'])
      assert.ok(receipt.stop instanceof RemoteConfigError)
    })

    test('a token that demands it stops the run when it is not configured', async () => {
      const { receipt } = await send([], { ...ack(), acknowledge: false })
      assert.ok(receipt.stop instanceof RemoteConfigError)
      assert.match(receipt.stop.hint ?? '', /"acknowledge": true/)
    })

    test('stream test tells a token with it from one without', async () => {
      const states = async (settings: object) => {
        const checks = await trial
          .destination({ ...trial.settings, ...settings })
          .test({ send: false, signal })
        return checks.map(({ state }) => state).includes('failure')
      }
      assert.equal(await states({ ...ack() }), false)
      assert.equal(await states({ ...ack(), acknowledge: false }), true)
      assert.equal(await states({ acknowledge: true }), true)
    })
  })

  test('a receiver that dies and comes back takes the batch then', async () => {
    const destination = trial.destination()
    const batch = batchOf(destination, [sample(streamedEvent(77, FAKE_START))])
    trial.faults.add('splunk:die=50')
    assert.deepEqual(fates(await destination.deliver(batch, { signal }), 1), ['unknown'])
    assert.deepEqual(fates(await destination.deliver(batch, { signal }), 1), ['retry'])
    await new Promise((resolve) => setTimeout(resolve, 120))
    assert.deepEqual(fates(await destination.deliver(batch, { signal }), 1), ['accepted'])
    trial.faults.clear()
  })
})
