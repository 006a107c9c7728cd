import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Destination } from '../../src/core/destination.ts'
import { NamedEvent } from '../../src/core/event.ts'
import type { HttpService, ServiceSettings } from '../../src/core/http.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { criblEncoder } from '../../src/destinations/cribl/encode.ts'
import { cribl } from '../../src/destinations/cribl/index.ts'
import { criblOptions } from '../../src/destinations/cribl/options.ts'
import type { CriblSandbox, startCribl } from '../../src/sandbox/cribl/index.ts'
import type { Exchange } from '../../src/sandbox/listen.ts'
import { refusalOf } from '../../src/streams/batch.ts'
import { type Capture, startCapture } from '../support/capture.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { batchOf, fates, sample, samples, startTrial, streamedEvent, type Trial } from '../support/trial.ts'

const signal = new AbortController().signal
const MARK = { run: '01RUN', backfilledAt: '2026-11-20T12:00:00.000Z' }
const AT = Date.parse('2025-01-15T02:58:05.552Z')

describe('the Cribl stream', () => {
  let trial: Trial
  let sandbox: CriblSandbox
  before(async () => {
    trial = await startTrial('cribl')
    sandbox = trial.sandbox as Awaited<ReturnType<typeof startCribl>>
  })
  after(() => trial.close())

  const { event, streamed } = sample(streamedEvent(1, AT))
  const text = Buffer.from(streamed).toString()
  const inside = text.slice(0, -1)
  const mark = `,"auditctl":${JSON.stringify(MARK)}`

  for (const [title, settings, how, expected] of [
    ['its own time behind its members', {}, { restamp: false }, `${inside},"_time":1736909885.552}`],
    [
      'the mark and its own time',
      {},
      { restamp: false, mark: MARK },
      `${inside}${mark},"_time":1736909885.552}`,
    ],
    ['nothing with eventTime false, as the live stream', { eventTime: false }, { restamp: false }, text],
    ['nothing when it is to be dated by arrival', {}, { restamp: true }, text],
    ['only the mark when dated by arrival', {}, { restamp: true, mark: MARK }, `${inside}${mark}}`],
  ] as const) {
    test(`encode adds ${title}`, () => {
      assert.equal(Buffer.from(criblEncoder(settings).encode(streamed, event, how)).toString(), expected)
    })
  }

  test('encode leaves a time alone that an event of another source brings itself', () => {
    const bytes = Buffer.from('{"id":"1","_time":17}')
    const reader = { type: 'circleci', actor: () => undefined, action: () => 'x', target: () => undefined }
    const foreign = new NamedEvent(reader, bytes, { id: '1', occurredAt: 'x', occurredAtMs: AT })
    assert.equal(
      Buffer.from(criblEncoder({}).encode(bytes, foreign, { restamp: false })).toString(),
      String(bytes),
    )
  })

  test('a _time deeper inside, or in a text, is not the time of the event', () => {
    const reader = { type: 'circleci', actor: () => undefined, action: () => 'x', target: () => undefined }
    for (const text of ['{"id":"1","detail":{"_time":17}}', '{"id":"1","field":"_time"}']) {
      const bytes = Buffer.from(text)
      const foreign = new NamedEvent(reader, bytes, { id: '1', occurredAt: 'x', occurredAtMs: AT })
      const encoded = Buffer.from(criblEncoder({}).encode(bytes, foreign, { restamp: false })).toString()
      assert.equal(encoded, `${text.slice(0, -1)},"_time":${AT / 1000}}`)
    }
  })

  test('waits as long as the product does, or as --timeout says', () => {
    for (const [settings, timeoutMs, expected] of [
      [{}, undefined, 30_000],
      [{ mode: 'single' }, undefined, 5000],
      [{ mode: 'single' }, 12_000, 12_000],
    ] as const) {
      const asked: ServiceSettings[] = []
      const http = {
        service: (service: ServiceSettings) => {
          asked.push(service)
          return {} as HttpService
        },
        close: async () => {},
      }
      const options = criblOptions.parse({ provider: 'cribl', url: 'http://127.0.0.1/_bulk', ...settings })
      cribl.create('c', options, { http, clock: fakeClock(), log: SILENT, baseDir: '.', timeoutMs })
      assert.equal(asked[0]?.timeoutMs, expected)
    }
  })

  test('an event alone may be as long as every release takes, and longer only where the stream says so', () => {
    for (const [batch, alone] of [
      [undefined, 2_000_000],
      [{ maxEvents: 10 }, 2_000_000],
      [{ maxBytes: 500_000 }, 500_000],
      [{ maxBytes: 4_194_304 }, 4_194_304],
    ] as const) {
      const { traits } = trial.destination({ ...trial.settings, batch })
      assert.equal(refusalOf(alone, traits), undefined)
      assert.equal(refusalOf(alone + 1, traits)?.bytes, alone + 1)
    }
  })

  describe('on the wire', () => {
    let capture: Capture
    before(async () => {
      capture = await startCapture()
    })
    after(() => capture.close())

    async function sent(more: object, count: number): Promise<Exchange> {
      const settings = {
        provider: 'cribl',
        url: `${capture.url}/infisical/_bulk`,
        token: 'cribl-token-1',
        ...more,
      }
      const destination = trial.destination(settings)
      const receipt = await destination.deliver(batchOf(destination, samples(count)), { signal })
      assert.deepEqual(fates(receipt, count), new Array(count).fill('accepted'))
      return capture.requests.at(-1) ?? assert.fail()
    }

    test('a batch is the bytes of the live stream: lines without a last line end, NDJSON, Bearer', async () => {
      const { body, headers, path } = await sent({ eventTime: false }, 3)
      assert.equal(
        body.toString(),
        samples(3)
          .map((one) => Buffer.from(one.streamed))
          .join('\n'),
      )
      assert.equal(headers['content-type'], 'application/x-ndjson')
      assert.equal(headers.authorization, 'Bearer cribl-token-1')
      assert.equal(path, '/infisical/_bulk')
      assert.equal(headers['content-encoding'], undefined)
    })

    test('a raw token goes bare, and a source without a token gets none', async () => {
      assert.equal((await sent({ authScheme: 'raw' }, 1)).headers.authorization, 'cribl-token-1')
      assert.equal((await sent({ token: undefined }, 1)).headers.authorization, undefined)
    })

    test('single mode sends one object as application/json', async () => {
      const { body, headers } = await sent({ mode: 'single', eventTime: false }, 1)
      assert.deepEqual(
        JSON.parse(body.toString()),
        JSON.parse(Buffer.from(samples(1)[0]?.streamed ?? []).toString()),
      )
      assert.equal(headers['content-type'], 'application/json')
      const { traits } = trial.destination({ ...trial.settings, mode: 'single' })
      assert.deepEqual([traits.limits.maxEvents, traits.concurrency], [1, 4])
    })
  })

  async function deliver(
    fault: string | undefined,
    destination: Destination = trial.destination(),
    count = 2,
  ) {
    if (fault !== undefined) trial.faults.add(fault)
    const known = trial.held().length
    const receipt = await destination.deliver(batchOf(destination, samples(count)), { signal })
    trial.faults.clear()
    return { receipt, fates: fates(receipt, count), arrived: trial.held().length - known }
  }

  test("Cribl's busy 503 proves that nothing was stored, any other 503 proves nothing", async () => {
    assert.deepEqual((await deliver('cribl:busy')).fates, ['retry', 'retry'])
    assert.deepEqual((await deliver('cribl:status=503')).fates, ['unknown', 'unknown'])
    const stored = await deliver('cribl:error-after')
    assert.deepEqual([stored.fates, stored.arrived], [['unknown', 'unknown'], 2])
  })

  test("too many requests at a time are refused with nothing stored, as are those beyond a socket's quota", async () => {
    sandbox.settings.maxActive = 0
    const busy = await deliver(undefined)
    sandbox.settings.maxActive = 256
    assert.deepEqual([busy.fates, busy.arrived], [['retry', 'retry'], 0])
    const quota = await startCapture((exchange) => exchange.reply(503, 'Max requests per socket reached'))
    const settings = { ...trial.settings, url: `${quota.url}/cribl/_bulk` }
    const refused = await deliver(undefined, trial.destination(settings))
    await quota.close()
    assert.deepEqual([refused.fates, refused.receipt.code], [['retry', 'retry'], 'busy'])
  })

  test('a 2xx for what a worker then lost is still accepted: only an inventory can tell', async () => {
    const { fates, arrived } = await deliver('cribl:drop')
    assert.deepEqual([fates, arrived], [['accepted', 'accepted'], 0])
  })

  test('a body above the limit of an old release is split', async () => {
    const settings = { ...trial.settings, batch: { maxBytes: 4_194_304 } }
    const destination = trial.destination(settings)
    const big = samples(300, { projectName: 'x'.repeat(10_000) })
    const receipt = await destination.deliver(batchOf(destination, big), { signal })
    assert.deepEqual(new Set(fates(receipt, 300)), new Set(['split']))
    sandbox.settings.maxBodyBytes = 4_194_304
    const known = trial.held().length
    assert.ok((await destination.deliver(batchOf(destination, big), { signal })).accepted)
    assert.equal(trial.held().length - known, 300)
    sandbox.settings.maxBodyBytes = 2_000_000
  })

  test('its rows stand at their own time, live ones at that of their arrival', async () => {
    const other = await startTrial('cribl')
    other.sandbox.preload?.([streamedEvent(1, AT)])
    const destination = other.destination()
    await destination.deliver(batchOf(destination, [sample(streamedEvent(2, AT))]), { signal })
    const times = other.sandbox.rows?.().map(({ _time }) => _time)
    await other.close()
    assert.deepEqual(times, [AT / 1000 + 5, AT / 1000])
  })

  describe('stream test', () => {
    const words = async (settings: object, send = false) => {
      const checks = await trial.destination({ ...trial.settings, ...settings }).test({ send, signal })
      return checks.map(({ state, message, hint }) => `${state}: ${message} ${hint ?? ''}`).join('\n')
    }

    test('says which authScheme works when the other is refused', async () => {
      const strict = await startCapture((exchange) =>
        exchange.reply(exchange.headers.authorization === 'cribl-token-1' ? 200 : 401, ''),
      )
      const said = await words({ url: `${strict.url}/cribl/_bulk`, token: 'cribl-token-1' })
      await strict.close()
      assert.match(said, /^failure: .*401.*"authScheme": "raw"/)
    })

    test('warns of a source that takes events from anyone', async () => {
      sandbox.settings.tokens = []
      const said = await words({})
      sandbox.settings.tokens = ['sandbox-cribl-token-0123456789abcdef']
      assert.match(said, /warning: .*without a token/)
      assert.doesNotMatch(await words({}), /warning/)
    })

    test('passes on what the health endpoint says, where there is one', async () => {
      sandbox.settings.health = 'unhealthy'
      const said = await words({})
      sandbox.settings.health = 'off'
      assert.match(said, /warning: .*503.*unhealthy/)
    })

    test('fails for a path that is not served', async () => {
      const url = String(trial.settings['url']).replace('infisical', 'elsewhere')
      assert.match(await words({ url }), /^failure: .*404.*_bulk/)
    })
  })

  test('nothing of all this broke a rule of the wire but the body that was too large', () => {
    assert.deepEqual([...new Set(sandbox.violations.map(({ rule }) => rule))], ['body-size'])
  })
})

describe('the Cribl sandbox', () => {
  for (const [title, body, type, rule] of [
    ['an array', '[{"id":"1"}]', 'application/json', 'body'],
    ['a broken line', '{"id":"1"}\n{"id":', 'application/x-ndjson', 'body'],
    ['text that is no JSON', 'hello', 'text/plain', 'body'],
  ] as const) {
    test(`refuses ${title} whole`, async () => {
      const trial = await startTrial('cribl')
      const reply = await post(trial, body, type)
      const held = trial.held().length
      await trial.close()
      assert.deepEqual([reply.status, held], [400, 0])
      assert.equal(trial.sandbox.violations[0]?.rule, rule)
    })
  }

  for (const [title, body, type, rule] of [
    ['a last line end', '{"id":"1"}\n', 'application/x-ndjson', 'final-newline'],
    ['several events as application/json', '{"id":"1"}\n{"id":"2"}', 'application/json', 'content-type'],
    ['a key of Cribl itself', '{"id":"1","__inputId":2}', 'application/x-ndjson', 'internal-key'],
    ['a time that is no number', '{"id":"1","_time":"2026"}', 'application/x-ndjson', 'time'],
  ] as const) {
    test(`takes ${title}, and records it`, async () => {
      const trial = await startTrial('cribl')
      const reply = await post(trial, body, type)
      await trial.close()
      assert.equal(reply.status, 200)
      assert.deepEqual(
        trial.sandbox.violations.map((violation) => violation.rule),
        [rule],
      )
    })
  }

  test("takes the product's ping, which has no id", async () => {
    const trial = await startTrial('cribl')
    const reply = await post(trial, '{"ping":"ok"}', 'application/json')
    const held = trial.held()
    await trial.close()
    assert.deepEqual([reply.status, held, trial.sandbox.violations], [200, [], []])
  })
})

function post(trial: Trial, body: string, type: string): Promise<Response> {
  const { url, token } = trial.settings
  const headers = { 'content-type': type, authorization: `Bearer ${token}` }
  return fetch(String(url), { method: 'POST', body, headers })
}
