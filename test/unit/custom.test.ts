import assert from 'node:assert/strict'
import { createHash, createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Receipt } from '../../src/core/destination.ts'
import { RateLimitError, RemoteConfigError, UnavailableError, UserError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/event.ts'
import type { HttpService, ServiceSettings } from '../../src/core/http.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { custom } from '../../src/destinations/custom/index.ts'
import { customOptions, HARD_LIMITS } from '../../src/destinations/custom/options.ts'
import { batchId, webhookSigner } from '../../src/destinations/custom/sign.ts'
import { startCustom } from '../../src/sandbox/custom/index.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { type Capture, startCapture } from '../support/capture.ts'
import { batchOf, fates, sample, samples, startTrial, streamedEvent, type Trial } from '../support/trial.ts'
import { tempFolder } from './config/temp-folder.ts'

const FIXTURES = new URL('../fixtures/tls/', import.meta.url)
const signal = new AbortController().signal
const SECRET = `whsec_${Buffer.from('k'.repeat(32)).toString('base64')}`

describe('the custom stream', () => {
  let trial: Trial
  let capture: Capture
  let answer: JsonObject | string = {}
  const stream = (more: JsonObject = {}) => ({ provider: 'custom', url: `${capture.url}/in?team=7`, ...more })

  before(async () => {
    trial = await startTrial('custom')
    capture = await startCapture((exchange) => exchange.reply(200, answer))
  })
  after(async () => {
    await capture.close()
    await trial.close()
  })

  async function send(more: JsonObject = {}, count = 3): Promise<Receipt> {
    const destination = trial.destination(stream(more))
    return destination.deliver(batchOf(destination, samples(count)), { signal })
  }
  const last = () => capture.requests.at(-1)

  const texts = samples(3).map(({ streamed }) => Buffer.from(streamed).toString())
  for (const { settings, count, body, type } of [
    { settings: {}, count: 3, body: `[${texts.join(',')}]`, type: 'application/json' },
    {
      settings: { format: 'array' },
      count: 1,
      body: `[${samples(1).map(({ streamed }) => Buffer.from(streamed))}]`,
      type: 'application/json',
    },
    { settings: { format: 'ndjson' }, count: 3, body: `${texts.join('\n')}\n`, type: 'application/x-ndjson' },
    {
      settings: { mode: 'single' },
      count: 1,
      body: Buffer.from(samples(1)[0]?.streamed ?? []).toString(),
      type: 'application/json',
    },
  ]) {
    test(`sends ${count} events with ${JSON.stringify(settings)} to the byte, and no key of its own`, async () => {
      const receipt = await send(settings, count)
      assert.deepEqual(fates(receipt, count), new Array(count).fill('accepted'))
      assert.equal(last()?.body.toString(), body)
      const { headers, path, query } = last() ?? assert.fail()
      assert.equal(headers['content-type'], type)
      assert.deepEqual([path, query.get('team')], ['/in', '7'])
      assert.deepEqual(
        Object.keys(headers).filter((name) => /idempotency|x-auditctl|webhook|encoding/.test(name)),
        [],
      )
      assert.match(String(headers['user-agent']), /^auditctl\//)
    })
  }

  test("the user's headers win over Content-Type", async () => {
    await send({ headers: { 'content-TYPE': 'application/vnd.acme+json', 'X-Team': 'audit' } })
    assert.equal(last()?.headers['content-type'], 'application/vnd.acme+json')
    assert.equal(last()?.headers['x-team'], 'audit')
  })

  for (const [title, settings, key] of [
    ['Host', { headers: { Host: 'x' } }, 'headers.Host'],
    ['Content-Length', { headers: { 'content-length': '1' } }, 'headers.content-length'],
    ['Content-Encoding', { headers: { 'Content-Encoding': 'br' } }, 'headers.Content-Encoding'],
    ['Transfer-Encoding', { headers: { 'Transfer-Encoding': 'x' } }, 'headers.Transfer-Encoding'],
    ['Connection', { headers: { Connection: 'close' } }, 'headers.Connection'],
    ['a header twice', { headers: { 'X-A': '1', 'x-a': '2' } }, 'headers.x-a'],
    ['a header name with a blank', { headers: { 'X A': '1' } }, 'headers.X A'],
    ['a line break in a header', { headers: { 'X-A': '1\r\nX-B: 2' } }, 'headers.X-A'],
    [
      'Webhook-Id beside signing',
      { headers: { 'Webhook-Id': '1' }, signing: { secret: SECRET } },
      'headers.Webhook-Id',
    ],
    [
      'Idempotency-Key beside our own',
      { headers: { 'Idempotency-Key': '1' }, idempotencyKey: true },
      'headers.Idempotency-Key',
    ],
    ['gzip beside signing', { compress: 'gzip', signing: { secret: SECRET } }, 'compress'],
    ['a format in single mode', { mode: 'single', format: 'ndjson' }, 'format'],
    ['a pointer without its slash', { expect: { pointer: 'status' } }, 'expect.pointer'],
    ['more than 500 events', { batch: { maxEvents: 501 } }, 'batch.maxEvents'],
    ['user info in the URL', { url: 'https://user:pass@siem.example/in' }, 'url'],
  ] as const) {
    test(`refuses ${title}`, () => {
      const parsed = customOptions.safeParse({ ...stream(), ...settings })
      assert.deepEqual(
        parsed.error?.issues.map(({ path }) => path.join('.')),
        [key],
      )
    })
  }

  test('an Idempotency-Key of the user is sent where auditctl sets none', async () => {
    await send({ headers: { 'Idempotency-Key': 'mine' } })
    assert.equal(last()?.headers['idempotency-key'], 'mine')
  })

  for (const { expect, body, fate } of [
    { expect: { pointer: '/status', equals: 'ok' }, body: { status: 'ok' }, fate: 'accepted' },
    { expect: { pointer: '/status', equals: 'ok' }, body: { status: 'partial' }, fate: 'unknown' },
    { expect: { pointer: '/errors', equals: false }, body: { errors: true, items: [] }, fate: 'unknown' },
    { expect: { pointer: '/errors', equals: null }, body: { errors: null }, fate: 'accepted' },
    { expect: { pointer: '/errors', equals: null }, body: {}, fate: 'unknown' },
    { expect: { pointer: '/accepted' }, body: { accepted: 3 }, fate: 'accepted' },
    { expect: { pointer: '/accepted' }, body: { accepted: 2 }, fate: 'unknown' },
    { expect: { pointer: '/a~1b/0/~0', equals: 1 }, body: { 'a/b': [{ '~': 1 }] }, fate: 'accepted' },
    { expect: { pointer: '', equals: 'OK' }, body: '"OK"', fate: 'accepted' },
    { expect: { pointer: '/status', equals: 'ok' }, body: 'OK', fate: 'unknown' },
  ]) {
    test(`with expect ${JSON.stringify(expect)}, ${JSON.stringify(body)} leaves the batch ${fate}`, async () => {
      answer = body
      const receipt = await send({ expect })
      answer = {}
      assert.deepEqual(fates(receipt, 3), [fate, fate, fate], receipt.reason)
    })
  }

  test('a 2xx whose body names refused events is believed only without expect', async () => {
    const { settings } = trial
    for (const [expect, fate] of [
      [undefined, 'accepted'],
      [{ pointer: '/accepted' }, 'unknown'],
    ] as const) {
      const destination = trial.destination({ ...settings, ...(expect === undefined ? {} : { expect }) })
      trial.faults.add('custom:error-body')
      const known = trial.held().length
      const receipt = await destination.deliver(batchOf(destination, samples(3)), { signal })
      trial.faults.clear()
      assert.deepEqual(fates(receipt, 3), [fate, fate, fate])
      assert.equal(trial.held().length - known, 2, 'one was refused inside the 200')
    }
  })

  test('a body that breaks off while it is sent leaves the batch unknown', async () => {
    const destination = trial.destination()
    trial.faults.add('custom:reset-early')
    const big = samples(50, { projectName: 'x'.repeat(10_000) })
    const receipt = await destination.deliver(batchOf(destination, big), { signal })
    trial.faults.clear()
    assert.deepEqual(new Set(fates(receipt, 50)), new Set(['unknown']))
  })

  for (const [status, stop, fate] of [
    [402, RateLimitError, 'retry'],
    [406, RemoteConfigError, 'retry'],
    [410, RemoteConfigError, 'retry'],
    [501, RemoteConfigError, 'unknown'],
    [505, RemoteConfigError, 'unknown'],
    [307, RemoteConfigError, 'retry'],
    [409, undefined, 'split'],
    [422, undefined, 'split'],
    [425, undefined, 'retry'],
  ] as const) {
    test(`${status} is ${fate}${stop === undefined ? '' : ' and stops the run'}`, async () => {
      const destination = trial.destination()
      trial.faults.add(`custom:status=${status}`)
      const receipt = await destination.deliver(batchOf(destination, samples(2)), { signal })
      trial.faults.clear()
      assert.deepEqual(fates(receipt, 2), [fate, fate])
      assert.equal(receipt.stop?.constructor, stop)
    })
  }

  test('an event that fills the largest request alone is taken, and one byte more is over the limit', async () => {
    const destination = trial.destination()
    const { maxEventBytes } = destination.traits.limits
    const bare = sample(streamedEvent(1, trial.clock.now() - 1000, { projectName: '' }))
    const filler = 'x'.repeat(maxEventBytes - bare.streamed.length)
    const full = sample(streamedEvent(1, trial.clock.now() - 1000, { projectName: filler }))
    assert.equal(full.streamed.length, HARD_LIMITS.maxBytes - 2)
    const receipt = await destination.deliver(batchOf(destination, [full]), { signal })
    assert.deepEqual(fates(receipt, 1), ['accepted'])
    assert.deepEqual(trial.sandbox.violations, [])
  })

  test('single mode sends one event a request, four at a time, 50 a second, and waits 5 seconds as the product does', async () => {
    const asked: ServiceSettings[] = []
    const http = {
      service: (settings: ServiceSettings) => {
        asked.push(settings)
        return {} as HttpService
      },
      close: async () => {},
    }
    const options = customOptions.parse(stream({ mode: 'single' }))
    const parts = { http, clock: trial.clock, log: SILENT, baseDir: '.' }
    const { traits } = custom.create('hook', options, parts)
    assert.deepEqual([traits.limits.maxEvents, traits.concurrency], [1, 4])
    assert.deepEqual([asked[0]?.timeoutMs, asked[0]?.rate], [5000, 50])
    const batched = custom.create('hook', customOptions.parse(stream()), parts)
    assert.deepEqual([batched.traits.limits.maxEvents, batched.traits.concurrency], [400, 1])
    assert.deepEqual([asked[1]?.timeoutMs, asked[1]?.rate], [30_000, undefined])
    custom.create('hook', options, { ...parts, timeoutMs: 12_000 })
    assert.equal(asked[2]?.timeoutMs, 12_000, '--timeout goes before the provider’s own')
  })

  test('a certificate that is not trusted stops the run, nothing sent', async () => {
    const server = createServer({
      key: readFileSync(new URL('server-key.pem', FIXTURES)),
      cert: readFileSync(new URL('server.pem', FIXTURES)),
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/in`
      const receipt = await send({ url })
      assert.deepEqual(fates(receipt, 3), ['retry', 'retry', 'retry'])
      assert.equal(receipt.code, 'tls')
      assert.ok(receipt.stop instanceof UnavailableError)
    } finally {
      server.close()
    }
  })

  test('a receiver whose trusted certificate is of another name stops the run, and is sent nothing', async (t) => {
    const faults = faultPlan(['custom:wrong-name'])
    const sandbox = await startCustom({ seed: 1, generation: '2026', recent: false, faults, now: Date.now })
    t.after(() => sandbox.close())
    const caFile = join(tempFolder(t), 'ca.pem')
    writeFileSync(caFile, sandbox.certificate ?? assert.fail())
    const { streams = {} } = sandbox.config
    const { url, headers } = streams['hook'] as { readonly url: string; readonly headers: object }
    assert.match(url, /^https:/)
    const receipt = await send({ url, headers, tls: { caFile } })
    assert.deepEqual([fates(receipt, 3), receipt.code], [['retry', 'retry', 'retry'], 'tls'])
    assert.ok(receipt.stop instanceof UnavailableError)
    assert.match(receipt.reason, /altnames|127\.0\.0\.1 is not in the cert's list/)
    assert.equal(sandbox.receivedIds().length, 0)
    const trusting = await send({ url, headers, tls: { insecureSkipVerify: true } })
    assert.deepEqual(fates(trusting, 3), ['accepted', 'accepted', 'accepted'])
  })

  test('the idempotency key is the same for the same events in the same order and form, and only for them', async () => {
    const keys: string[] = []
    for (const [more, count] of [
      [{ idempotencyKey: true }, 3],
      [{ idempotencyKey: true }, 3],
      [{ idempotencyKey: true }, 2],
      [{ idempotencyKey: true, format: 'ndjson' }, 3],
    ] as const) {
      await send(more, count)
      assert.equal(last()?.headers['x-auditctl-run'], 'run-1')
      assert.equal(last()?.headers['x-auditctl-batch'], last()?.headers['idempotency-key'])
      keys.push(String(last()?.headers['idempotency-key']))
    }
    assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)))
    assert.equal(keys[0], keys[1])
    assert.equal(new Set(keys).size, 3)
    const ids = samples(3).map(({ event }) => event.id)
    const expected = createHash('sha256')
      .update(`array\n${ids.join('\n')}\n`)
      .digest('hex')
      .slice(0, 32)
    assert.equal(keys[0], expected)
    assert.notEqual(batchId(ids.toReversed(), 'array'), expected)
    assert.notEqual(batchId(['ab', 'c'], 'array'), batchId(['a', 'bc'], 'array'))
  })

  test('each attempt is signed anew over the exact bytes under the same id', async () => {
    const seen: { id: string; timestamp: string }[] = []
    for (const advance of [0, 90_000]) {
      trial.clock.advance(advance)
      await send({ signing: { secret: SECRET } })
      const { headers, body } = last() ?? assert.fail()
      const id = String(headers['webhook-id'])
      const timestamp = String(headers['webhook-timestamp'])
      const hmac = createHmac('sha256', 'k'.repeat(32)).update(`${id}.${timestamp}.`).update(body)
      assert.equal(headers['webhook-signature'], `v1,${hmac.digest('base64')}`)
      assert.equal(timestamp, String(Math.floor(trial.clock.now() / 1000)))
      seen.push({ id, timestamp })
    }
    assert.match(seen[0]?.id ?? '', /^msg_[0-9a-f]{32}$/)
    assert.equal(seen[0]?.id, seen[1]?.id)
    assert.equal(Number(seen[1]?.timestamp) - Number(seen[0]?.timestamp), 90)
  })

  test('two secrets sign both, and an ed25519 key signs as v1a', () => {
    const pair = generateKeyPairSync('ed25519')
    const seed = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
    const signer = webhookSigner(`${SECRET} whsk_${seed.toString('base64')}`, 'literal')
    const body = Buffer.from('[{"id":"é"}]')
    const headers = signer({ id: 'abc', body, now: 1_700_000_000_999 })
    const [first = '', second = '', ...rest] = (headers['webhook-signature'] ?? '').split(' ')
    const content = Buffer.from('msg_abc.1700000000.[{"id":"é"}]')
    assert.deepEqual(rest, [])
    assert.equal(first, `v1,${createHmac('sha256', 'k'.repeat(32)).update(content).digest('base64')}`)
    const signature = Buffer.from(second.replace(/^v1a,/, ''), 'base64')
    assert.ok(verify(null, content, createPublicKey(pair.privateKey), signature))
  })

  for (const secret of ['not a secret', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${'A'.repeat(88)}`, 'whpk_AAAA']) {
    test(`refuses the signing secret ${JSON.stringify(secret.slice(0, 20))} without showing it`, async () => {
      const known = capture.requests.length
      await assert.rejects(send({ signing: { secret } }), (error: unknown) => {
        assert.ok(error instanceof UserError && error.hint !== undefined)
        return !`${error.message} ${error.hint}`.includes(secret) || secret.length < 8
      })
      assert.equal(capture.requests.length, known, 'nothing was sent unsigned')
    })
  }

  test('a signature that does not fit is noticed by the receiver', async () => {
    const { settings } = trial
    const url = String(settings['url']).replace('/in', '/signed')
    const receipt = await trial
      .destination({ ...settings, url, signing: { secret: SECRET } })
      .deliver(batchOf(trial.destination(), samples(1)), { signal })
    assert.deepEqual(fates(receipt, 1), ['split'])
    assert.equal(trial.sandbox.violations.at(-1)?.rule, 'signature')
  })
})
