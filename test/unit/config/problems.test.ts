import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { duration, httpUrl, secret, streamCommon } from '../../../src/config/fields.ts'
import { describeProblems } from '../../../src/config/problems.ts'

const schema = z.strictObject({
  ...streamCommon,
  provider: z.literal('siem'),
  url: httpUrl(),
  wait: duration().optional(),
  port: z.int().positive().max(65_535).optional(),
  mode: z.enum(['batch', 'single']).optional(),
  auth: z.discriminatedUnion('method', [
    z.strictObject({ method: z.literal('token'), token: secret() }),
    z.strictObject({ method: z.literal('login'), user: z.string(), password: secret() }),
  ]),
})
const good = { provider: 'siem', url: 'https://x', auth: { method: 'token', token: 't' } }

function problems(change: object): string[] {
  const value = { ...good, ...change }
  const parsed = schema.safeParse(value)
  return parsed.success ? [] : describeProblems(parsed.error, schema, value, ['streams', 'soc'])
}

test('describeProblems names the key, what was found and what is allowed', () => {
  assert.deepEqual(problems({}), [])
  for (const [change, expected] of [
    [{ url: undefined }, 'streams.soc.url: is missing; allowed: a text'],
    [
      { url: 'ftp://x' },
      'streams.soc.url: found "ftp://x"; must be an http or https URL without user name and password',
    ],
    [
      { wait: '5 parsecs' },
      'streams.soc.wait: found "5 parsecs"; this is not a duration; write it like 90s, 15m, 2h or 7d',
    ],
    [{ wait: 5 }, 'streams.soc.wait: found 5; allowed: a text'],
    [{ port: '80' }, 'streams.soc.port: found "80"; allowed: a number'],
    [{ port: 0 }, 'streams.soc.port: found 0; it must be more than 0'],
    [{ port: 70_000 }, 'streams.soc.port: found 70000; it must be at most 65535'],
    [{ port: 1.5 }, 'streams.soc.port: found 1.5; allowed: a whole number'],
    [{ mode: 'batsh' }, 'streams.soc.mode: found "batsh"; allowed: "batch", "single"; did you mean "batch"?'],
    [{ mark: 'yes' }, 'streams.soc.mark: found "yes"; allowed: true or false'],
    [{ sources: 'prod' }, 'streams.soc.sources: found a text; allowed: a list'],
    [{ sources: ['a', 7] }, 'streams.soc.sources.1: found 7; allowed: a text'],
    [{ Url: 'x' }, 'streams.soc.Url: unknown key; did you mean url?'],
    [{ batch: { maxEvent: 5 } }, 'streams.soc.batch.maxEvent: unknown key; did you mean maxEvents?'],
    [{ batch: { zebra: 5 } }, 'streams.soc.batch.zebra: unknown key; allowed: maxEvents, maxBytes'],
    [{ auth: {} }, 'streams.soc.auth.method: is missing; allowed: "token", "login"'],
    [
      { auth: { method: 'tokn' } },
      'streams.soc.auth.method: found "tokn"; allowed: "token", "login"; did you mean "token"?',
    ],
    [
      { auth: { method: 'token', token: 't', user: 'u' } },
      'streams.soc.auth.user: unknown key; allowed: method, token',
    ],
    [{ inventory: { comand: ['x'] } }, 'streams.soc.inventory.command: is missing; allowed: a list'],
    [{ headers: { 'a b': 'x' } }, 'streams.soc.headers.a b: is not the name of a header'],
  ] as const) {
    assert.equal(problems(change)[0], expected)
  }
})

test('describeProblems never shows a secret, wherever it was put', () => {
  const leaks: object[] = [
    { auth: 'hunter2-secret' },
    { auth: { method: 'login', user: 'u', password: 5, token: 'hunter2-secret' } },
    { auth: { method: 'token', tokn: 'hunter2-secret' } },
    { auth: { method: 'token', token: ['hunter2-secret'] } },
    { headers: { Authorization: 'hunter2-secret\nX: y' } },
    { headers: 'hunter2-secret' },
    { token: 'hunter2-secret' },
    { url: 'https://user:hunter2-secret@host' },
    { batch: 'hunter2-secret' },
  ]
  for (const change of leaks) {
    const text = problems(change).join('\n')
    assert.notEqual(text, '')
    assert.doesNotMatch(text, /hunter2/, JSON.stringify(change))
  }
})
