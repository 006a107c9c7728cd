import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../src/core/event.ts'
import { type FaultPlan, faultPlan } from '../../src/sandbox/faults.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { startSplunk } from '../../src/sandbox/splunk/index.ts'
import { ObjectScanner } from '../../src/sandbox/splunk/object-scanner.ts'
import { ACK_TOKEN, DISABLED_TOKEN, PLAIN_TOKEN, SEARCH_TOKEN } from '../../src/sandbox/splunk/profile.ts'
import { FAKE_START } from '../support/fake-clock.ts'

const OPTIONS = { seed: 1, generation: '2026', recent: false, now: () => FAKE_START } as const
const CHANNEL = '11111111-2222-4333-8444-555555555555'
const at = FAKE_START / 1000
const wrap = (event: unknown, more: object = {}) =>
  JSON.stringify({ time: at, source: 'infisical', sourcetype: '_json', event, ...more })
const good = (id: string) => wrap({ id })

describe('splunk sandbox, HEC', () => {
  let sandbox: SandboxService
  let faults: FaultPlan
  before(async () => {
    faults = faultPlan()
    sandbox = await startSplunk({ ...OPTIONS, faults })
  })
  after(() => sandbox.close())
  beforeEach(async () => {
    await fetch(`${sandbox.urls['splunk']}/__emulator/reset`, { method: 'POST' })
  })

  const call = async (path: string, init: RequestInit = {}, headers: Record<string, string> = {}) => {
    const response = await fetch(`${sandbox.urls['splunk']}${path}`, {
      method: 'POST',
      headers: { authorization: `Splunk ${PLAIN_TOKEN}`, 'content-type': 'application/json', ...headers },
      ...init,
    })
    const text = await response.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as JsonObject) : undefined
    return {
      status: response.status,
      code: json?.['code'],
      number: json?.['invalid-event-number'],
      json,
      text,
    }
  }
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    call('/services/collector/event', { body }, headers)
  const held = () => (sandbox.receivedIds?.() ?? []).join('')

  test('paths and methods it does not know are refused first', async () => {
    assert.deepEqual((await call('/services/nowhere')).status, 404)
    assert.equal((await call('/services/collector', { method: 'PUT' })).status, 405)
    assert.equal((await call('/services/collector/health', { method: 'GET' })).code, 17)
    assert.equal((await call('/services/collector/event', { method: 'OPTIONS' })).text, '')
  })

  test('credentials are judged before the body', async () => {
    const asked = async (authorization: string) => {
      const { status, code } = await post('not even JSON', { authorization })
      return [status, code]
    }
    assert.deepEqual(await asked(`Bearer ${PLAIN_TOKEN}`), [401, 3])
    assert.deepEqual(await asked('Splunk nobody'), [403, 4])
    assert.deepEqual(await asked(`Splunk ${DISABLED_TOKEN}`), [403, 1])
    assert.deepEqual(await asked(`Splunk ${SEARCH_TOKEN}`), [403, 4])
    assert.deepEqual(await asked(`Basic ${Buffer.from(`x:${PLAIN_TOKEN}`).toString('base64')}`), [400, 6])
    const without = await fetch(`${sandbox.urls['splunk']}/services/collector/event`, {
      method: 'POST',
      body: '',
    })
    assert.equal(((await without.json()) as JsonObject)['code'], 2)
    assert.equal((await call(`/services/collector?token=${PLAIN_TOKEN}`, { body: good('a') })).code, 16)
    assert.equal((await post(' \n ')).code, 5)
  })

  /** A batch with one bad event third of four: what it answers, and what is kept. */
  const BAD: readonly [what: string, bad: string, code: number, number: number][] = [
    ['broken JSON', '{"event":{"id":"x"},}', 6, 2],
    ['no object', '"x"', 6, 2],
    ['fields as a list', wrap({ id: 'x' }, { fields: [] }), 6, 2],
    ['no event and no fields', '{"time":1}', 12, 2],
    ['an event of null', wrap(null), 13, 2],
    ['an event of spaces', wrap('  '), 13, 2],
    ['an empty event', wrap({}), 13, 2],
    ['an empty list', wrap([]), 13, 2],
    ['a time that is no number', wrap({ id: 'x' }, { time: 'noon' }), 15, 2],
    ['nested fields', wrap({ id: 'x' }, { fields: { a: { b: 1 } } }), 15, 2],
    ['an index it may not write to', wrap({ id: 'x' }, { index: 'secret' }), 7, 3],
    ['an event over 5 MiB', wrap({ id: 'x', pad: 'x'.repeat(5_242_880) }), 6, 2],
  ]
  for (const [what, bad, code, number] of BAD) {
    test(`${what} ends the request, what stands before it is kept`, async () => {
      const reply = await post(good('a') + good('b') + bad + good('d'))
      assert.deepEqual([reply.status, reply.code, reply.number], [400, code, number])
      assert.equal(held(), 'ab')
    })
  }

  test('a key it does not know loses the rest without a word', async () => {
    const reply = await post(good('a') + wrap({ id: 'b' }, { audit_id: 1 }) + good('c'))
    assert.deepEqual([reply.status, reply.code, held()], [200, 0, 'a'])
    assert.deepEqual(
      sandbox.violations.map(({ rule }) => rule),
      ['unknown-key'],
    )
    assert.equal((await post(wrap({ id: 'b' }, { audit_id: 1 }))).code, 5)
  })

  test('an object of fields alone is dropped without a word', async () => {
    assert.equal((await post(`${good('a')}{"fields":{"x":1}}${good('b')}`)).code, 0)
    assert.equal(held(), 'ab')
  })

  test('breaches that a lenient server lets pass are noted', async () => {
    await post(`[${good('a')},${good('b')}]`)
    await post(good('c'), { 'content-type': 'text/plain' })
    await post(wrap({ id: 'd' }) + wrap({ id: 'e' }, { time: at - 10 }))
    await post(wrap({ id: 'f' }, { time: at - 400 * 86_400 }) + wrap({ id: 'g' }))
    await post(wrap({ id: 'h' }, { fields: { x: 1 } }))
    assert.equal(held(), 'abcdefgh')
    assert.deepEqual(
      sandbox.violations.map(({ rule }) => rule),
      ['array-body', 'content-type', 'time-order', 'years-mixed', 'fields'],
    )
  })

  test('nothing is dropped as a repeat', async () => {
    await post(good('a') + good('a'))
    await post(good('a'))
    assert.equal(held(), 'aaa')
  })

  test('gzip is inflated, other encodings and bad gzip are refused as a web server does', async () => {
    const bytes = gzipSync(good('a'))
    assert.equal((await post(new Uint8Array(bytes), { 'content-encoding': 'gzip' })).code, 0)
    assert.equal((await post('junk', { 'content-encoding': 'gzip' })).status, 400)
    assert.equal((await post(good('b'), { 'content-encoding': 'deflate' })).status, 415)
    assert.equal(held(), 'a')
  })

  test('a token with acknowledgment demands a channel, and tells each true once', async () => {
    const authorization = `Splunk ${ACK_TOKEN}`
    assert.equal((await post(good('a'), { authorization })).code, 10)
    assert.equal((await post(good('a'), { authorization, 'x-splunk-request-channel': 'x' })).code, 11)
    assert.equal(
      (await call(`/services/collector/ack?channel=${CHANNEL}`, { body: '{"acks":[0]}' })).code,
      14,
    )
    const headers = { authorization, 'x-splunk-request-channel': CHANNEL }
    assert.equal((await post(good('a'), headers)).json?.['ackId'], 0)
    assert.equal((await post(good('b'), headers)).json?.['ackId'], 1)
    const poll = () =>
      call(`/services/collector/ack?channel=${CHANNEL}`, { body: '{"acks":[0,1,7]}' }, headers)
    assert.deepEqual((await poll()).json?.['acks'], { 0: true, 1: true, 7: false })
    assert.deepEqual((await poll()).json?.['acks'], { 0: false, 1: false, 7: false })
  })

  test('a late answer is the answer all the same', async () => {
    const headers = { authorization: `Splunk ${ACK_TOKEN}`, 'x-splunk-request-channel': CHANNEL }
    faults.add('splunk:slowx2=5')
    assert.equal(typeof (await post(good('a'), headers)).json?.['ackId'], 'number')
    const refused = await post(good('b') + wrap(null))
    assert.deepEqual([refused.status, refused.code, refused.number, held()], [400, 13, 1, 'ab'])
  })

  test('faults lose, repeat and cut as they are told', async () => {
    faults.add('splunk:lose=1')
    await post(good('a') + good('b'))
    faults.clear()
    assert.equal(held(), 'b')
    faults.add('splunk:duplicate=1')
    await post(good('c') + good('d'))
    faults.clear()
    assert.equal(held(), 'bcdc')
    faults.add('splunk:busy-number=1')
    const reply = await post(good('e') + good('f'))
    assert.deepEqual([reply.status, reply.code, reply.number, held()], [503, 9, 1, 'bcdce'])
    faults.clear()
    faults.add('splunk:reset-after')
    await assert.rejects(post(good('g')))
    faults.add('splunk:reset-mid')
    await assert.rejects(post(good('h')))
    faults.add('splunk:reset-before')
    await assert.rejects(post(good('i')))
    assert.equal(held(), 'bcdcegh')
  })
})

test('splunk sandbox: a channel that is full of pending acknowledgments stores nothing and says 27', async () => {
  const sandbox = await startSplunk(
    { ...OPTIONS, faults: faultPlan() },
    { maxPendingAcks: 1, ackDelayMs: 1e9 },
  )
  const post = async (id: string) => {
    const response = await fetch(`${sandbox.urls['splunk']}/services/collector`, {
      method: 'POST',
      headers: {
        authorization: `Splunk ${ACK_TOKEN}`,
        'content-type': 'application/json',
        'x-splunk-request-channel': CHANNEL,
      },
      body: good(id),
    })
    return [response.status, ((await response.json()) as JsonObject)['code']]
  }
  try {
    assert.deepEqual(await post('a'), [200, 0])
    assert.deepEqual(await post('b'), [429, 27])
    assert.deepEqual(sandbox.receivedIds?.(), ['a'])
  } finally {
    await sandbox.close()
  }
})

test('splunk sandbox: other kinds of Splunk refuse what theirs refuse', async () => {
  const cases = [
    [{ kind: 'legacy' }, `[${good('a')}]`, [400, 6, 0]],
    [{ kind: 'cloud' }, wrap({ id: 'x', pad: 'x'.repeat(5_300_000) }), [400, 6, 0]],
    [{ maxContentBytes: 50 }, good('a'), [413, undefined, undefined]],
  ] as const
  for (const [profile, body, expected] of cases) {
    const sandbox = await startSplunk({ ...OPTIONS, faults: faultPlan() }, profile)
    try {
      const response = await fetch(`${sandbox.urls['splunk']}/services/collector`, {
        method: 'POST',
        headers: { authorization: `Splunk ${PLAIN_TOKEN}`, 'content-type': 'application/json' },
        body,
      })
      const text = await response.text()
      const json = text.startsWith('{') ? JSON.parse(text) : {}
      assert.deepEqual([response.status, json.code, json['invalid-event-number']], expected)
    } finally {
      await sandbox.close()
    }
  }
})

test('the object scanner finds what JSON.parse finds', () => {
  const events: unknown[] = [
    { a: 1 },
    { id: 'q"\\"{}[],:event"', nested: [{ event: { event: 1 } }, '}'] },
    ['event', { event: '{' }],
    'text with } and { and \\ and "',
    17,
    { 'é🔑': '\u2028', deep: { event: [[[{}]]] } },
  ]
  const objects = events.map((event, i) =>
    i % 2 === 0 ? { time: i, event, host: 'event' } : { event, source: '"event":{' },
  )
  for (const [separator, space] of [
    ['', 0],
    ['\n', 0],
    [' \r\n', 2],
  ] as const) {
    const body = Buffer.from(objects.map((object) => JSON.stringify(object, null, space)).join(separator))
    const scanner = new ObjectScanner(body)
    for (const object of objects) {
      assert.equal(scanner.next(), 'object')
      assert.deepEqual(JSON.parse(body.toString('utf8', scanner.start, scanner.end)), object)
      assert.deepEqual(JSON.parse(body.toString('utf8', scanner.eventStart, scanner.eventEnd)), object.event)
    }
    assert.equal(scanner.next(), 'end')
    for (let cut = 1; cut < body.length; cut += 1) {
      const part = new ObjectScanner(body.subarray(0, cut))
      let state = part.next()
      for (let i = 0; state === 'object' && i < 10; i += 1) state = part.next()
      assert.ok(state === 'broken' || state === 'end')
    }
  }
})
