import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError } from '../../src/core/errors.ts'
import { registerSecret, Secret } from '../../src/core/secret.ts'
import {
  assembleHeaders,
  frameBody,
  limitsOf,
  wholeBatch,
  withMark,
} from '../../src/destinations/envelope.ts'
import { excerpt, judgeStatus, retryAfterOf } from '../../src/destinations/judge.ts'

const MARK = { run: 'R"1', backfilledAt: '2026-11-20T12:00:00.000Z' }
const bytes = (text: string) => Buffer.from(text)

test('withMark adds one last member and keeps every other byte', () => {
  const member = `"auditctl":{"run":"R\\"1","backfilledAt":"2026-11-20T12:00:00.000Z"}`
  for (const [before, after] of [
    ['{"id":"é🔑","n":12345678901234567890}', `{"id":"é🔑","n":12345678901234567890,${member}}`],
    ['{}', `{${member}}`],
    ['{ }\n', `{ ${member}}`],
    ['{\n  "a": {}\n}\n', `{\n  "a": {}\n,${member}}`],
    ['{"a":"{"}', `{"a":"{",${member}}`],
  ] as const) {
    const marked = Buffer.from(withMark(bytes(before), MARK)).toString()
    assert.equal(marked, after)
    assert.doesNotThrow(() => JSON.parse(marked))
  }
  const event = bytes('{"a":1}')
  assert.equal(withMark(event, undefined), event)
  for (const wrong of ['', ' ', '[1]', '"}" ', '1'])
    assert.throws(() => withMark(bytes(wrong), MARK), TypeError)
})

test('frameBody joins as the frame says, to the byte', () => {
  const encoded = ['{"é":1}', '{}', '[]'].map(bytes)
  const array = { open: '[', separator: ',', close: ']' }
  assert.equal(Buffer.from(frameBody(encoded, array)).toString(), '[{"é":1},{},[]]')
  assert.equal(Buffer.from(frameBody(encoded.slice(0, 1), array)).toString(), '[{"é":1}]')
  assert.equal(
    Buffer.from(frameBody(encoded, { open: '', separator: '\n', close: '' })).toString(),
    '{"é":1}\n{}\n[]',
  )
  assert.equal(
    Buffer.from(frameBody(encoded, { open: '', separator: '', close: '' })).toString(),
    '{"é":1}{}[]',
  )
})

test('assembleHeaders lets the configuration win, whatever the letter case', async () => {
  const resolver = (reference: string) => reference.toUpperCase()
  const headers = await assembleHeaders(
    { 'Content-Type': 'application/json', authorization: 'own' },
    { 'content-type': new Secret('text/x', resolver), 'X-Site': new Secret('north', resolver) },
  )
  assert.deepEqual(headers, { 'content-type': 'TEXT/X', authorization: 'own', 'x-site': 'NORTH' })
})

test('limitsOf puts the stream in the place of the provider, never the size of an event', () => {
  const provider = { maxEvents: 100, maxBytes: 1000, maxEventBytes: 500 }
  assert.deepEqual(limitsOf(provider, undefined), provider)
  assert.deepEqual(limitsOf(provider, { maxBytes: 700 }), { ...provider, maxBytes: 700 })
  assert.deepEqual(wholeBatch(0), [])
})

const judged = {
  service: 'X',
  stream: 'soc',
  now: Date.parse('2026-11-20T12:00:00Z'),
  authHint: 'a',
  configHint: 'c',
}
const reply = (status: number, text: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  bytes: bytes(text),
  requestId: 'req-1',
  attempts: 1,
  clockSkewMs: undefined,
  text: () => text,
  json: () => JSON.parse(text) as unknown,
})

test('retryAfterOf reads seconds and dates, past ones as zero, and nothing else', () => {
  const read = (value: string) => retryAfterOf({ headers: { 'retry-after': value } }, judged.now)
  assert.equal(read('7'), 7000)
  assert.equal(read('Fri, 20 Nov 2026 12:01:00 GMT'), 60_000)
  assert.equal(read('Fri, 20 Nov 2026 11:00:00 GMT'), 0)
  assert.equal(read('-5'), 0)
  assert.equal(read('soon'), undefined)
  assert.equal(retryAfterOf({ headers: {} }, judged.now), undefined)
})

test('judgeStatus names status, request and what came back, without secrets or control characters', () => {
  registerSecret('s3cr3t-token-value')
  const receipt = judgeStatus(reply(403, '<p>\u001b[31mno s3cr3t-token-value\n\n for you</p>'), 3, judged)
  assert.equal(receipt.reason, 'X answered 403: <p> [31mno *** for you</p>')
  assert.ok(receipt.stop instanceof AuthError)
  assert.deepEqual([receipt.stop.status, receipt.stop.requestId, receipt.stop.hint], [403, 'req-1', 'a'])
  assert.deepEqual(receipt.retry, [[0, 3]])
})

test('judgeStatus never calls a success accepted', () => {
  for (const status of [200, 201, 202, 204, 206]) {
    const receipt = judgeStatus(reply(status, ''), 2, judged)
    assert.deepEqual([receipt.accepted, receipt.unknown], [undefined, [[0, 2]]])
  }
})

test('excerpt is short', () => {
  assert.equal(excerpt(reply(500, ' \n ')), '')
  assert.ok(excerpt(reply(500, 'é'.repeat(5000))).length < 170)
})
