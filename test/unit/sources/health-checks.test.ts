import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError, UnavailableError } from '../../../src/core/errors.ts'
import { checksAfterLogIn, clockCheck } from '../../../src/sources/health-checks.ts'

const signal = new AbortController().signal
const URL = 'https://audit.example'
const ready = { start: () => Promise.resolve() }

/** What the checks found, in short. */
const run = async (
  session: Parameters<typeof checksAfterLogIn>[0],
  look: Parameters<typeof checksAfterLogIn>[3],
) =>
  (await checksAfterLogIn(session, URL, signal, look)).map(({ check, state, refused }) => [
    check,
    state,
    refused ?? false,
  ])

test('a refusal is told by where it happened, and marks the exit code', async () => {
  const refused = () => Promise.reject(new AuthError('no'))
  const away = () => Promise.reject(new UnavailableError('away'))
  assert.deepEqual(await run({ start: refused }, () => Promise.resolve()), [['log-in', 'failure', true]])
  assert.deepEqual(await run({ start: away }, () => Promise.resolve()), [['reachable', 'failure', false]])
  assert.deepEqual(await run(ready, refused), [
    ['log-in', 'ok', false],
    ['permission', 'failure', true],
  ])
  assert.deepEqual(
    await run(ready, (checks) => {
      checks.push({ check: 'permission', state: 'ok', message: '' })
      return away()
    }),
    [
      ['log-in', 'ok', false],
      ['permission', 'ok', false],
      ['reachable', 'failure', false],
    ],
  )
})

test('what is no error for users is not swallowed by a check', async () => {
  await assert.rejects(
    run(ready, () => Promise.reject(new TypeError('a bug'))),
    TypeError,
  )
})

for (const [skewMs, state, words] of [
  [undefined, 'ok', /does not tell/],
  [4400, 'ok', /^4 s apart/],
  [-61_000, 'warning', /61 s behind ours/],
  [61_000, 'warning', /61 s ahead of ours/],
] as const) {
  test(`a clock ${skewMs} ms away is ${state}`, () => {
    const check = clockCheck(skewMs)
    assert.equal(check.state, state)
    assert.match(check.message, words)
  })
}
