import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError } from '../../../src/core/errors.ts'
import { Bearer, type BearerParts } from '../../../src/sources/bearer.ts'

const never = () => new AbortController().signal
const ok = (token: string) => Promise.resolve(`200 ${token}`)
const refusal = new AuthError('refused')

/** Grants `token-1`, `token-2` and so on; an answer that begins with 401 refuses one. */
function bearer(more: Partial<BearerParts<string>> = {}) {
  const granted: string[] = []
  const made = new Bearer<string>({
    async obtain() {
      await new Promise((resolve) => setImmediate(resolve))
      granted.push(`token-${granted.length + 1}`)
      return { value: granted.at(-1) ?? '' }
    },
    isRefused: (answer) => answer.startsWith('401'),
    judge: ({ hasWorked }) => (hasWorked ? undefined : refusal),
    ...more,
  })
  return { made, granted }
}

test('one log-in serves all who ask at once', async () => {
  const { made, granted } = bearer()
  const answers = await Promise.all(Array.from({ length: 8 }, () => made.carry(ok, never())))
  assert.deepEqual(new Set(answers), new Set(['200 token-1']))
  assert.deepEqual(granted, ['token-1'])
})

test('a token that worked and is refused by all at once is replaced once', async () => {
  const { made, granted } = bearer()
  await made.carry(ok, never())
  const expired = (token: string) => Promise.resolve(token === 'token-1' ? '401' : `200 ${token}`)
  const answers = await Promise.all(Array.from({ length: 8 }, () => made.carry(expired, never())))
  assert.deepEqual(new Set(answers), new Set(['200 token-2']))
  assert.equal(granted.length, 2)
})

test('a refused token waits for its neighbours before it is called one that never worked', async () => {
  const { made, granted } = bearer()
  let calls = 0
  const spent = async (token: string) => {
    calls += 1
    if (token !== 'token-1') return `200 ${token}`
    if (calls > 1) return '401'
    await new Promise((resolve) => setTimeout(resolve, 20))
    return '200 token-1'
  }
  const answers = await Promise.all([made.carry(spent, never()), made.carry(spent, never())])
  assert.deepEqual(answers, ['200 token-1', '200 token-2'])
  assert.equal(granted.length, 2)
})

test('a token that never worked ends it, and nothing is sent or obtained again', async () => {
  const { made, granted } = bearer()
  let sent = 0
  const refused = () => {
    sent += 1
    return Promise.resolve('401')
  }
  for (let round = 0; round < 2; round += 1) await assert.rejects(made.carry(refused, never()), refusal)
  assert.deepEqual([sent, granted.length], [1, 1])
})

test('refused credentials are sent once, and a log-in that merely failed may be tried again', async () => {
  for (const [error, expected] of [
    [refusal, 1],
    [new Error('unreachable'), 2],
  ] as const) {
    let tries = 0
    const { made } = bearer({
      obtain: () => {
        tries += 1
        return Promise.reject(error)
      },
    })
    for (let round = 0; round < 2; round += 1) await assert.rejects(made.carry(ok, never()), error)
    assert.equal(tries, expected)
  }
})

test('a token is renewed before it expires', async () => {
  let now = 0
  let serial = 0
  const { made } = bearer({
    obtain() {
      serial += 1
      return Promise.resolve({ value: `token-${serial}`, renewAt: now + 100 })
    },
    now: () => now,
  })
  assert.equal(await made.carry(ok, never()), '200 token-1')
  now = 99
  assert.equal(await made.carry(ok, never()), '200 token-1')
  now = 100
  assert.equal(await made.carry(ok, never()), '200 token-2')
})

test('claims are read out of the token, and an opaque one has none', async () => {
  const payload = Buffer.from(JSON.stringify({ sub: 'user-7', n: 1 })).toString('base64url')
  const { made } = bearer({ obtain: () => Promise.resolve({ value: `e30.${payload}.x` }) })
  assert.equal(made.claim('sub'), undefined)
  await made.start(never())
  assert.deepEqual(
    [made.claim('sub'), made.claim('id', 'sub'), made.claim('n')],
    ['user-7', 'user-7', undefined],
  )
  const opaque = bearer().made
  await opaque.start(never())
  assert.equal(opaque.claim('sub'), undefined)
})
