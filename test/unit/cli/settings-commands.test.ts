import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../../src/core/check.ts'
import { AuthError, UnavailableError } from '../../../src/core/errors.ts'
import { SIEM, setUp, VAULT } from './settings-bench.ts'

test('list and show print secrets as ***, and what each command prints is JSON in a pipe', async (t) => {
  const { run, ready } = setUp(t, {
    sources: { prod: VAULT, bad: { type: 'nope', token: 'hunter2-secret' } },
    streams: { soc: { ...SIEM, headers: { A: 'hunter2-secret' } } },
  })
  await ready()
  const list = await run('source list')
  assert.deepEqual(JSON.parse(list.stdout), [
    { name: 'prod', type: 'vault', target: 'https://v.example', default: false, origin: 'file' },
    { name: 'bad', type: 'nope', target: null, default: false, origin: 'file' },
  ])
  const table = await run('stream list', [], {}, { isTerminal: true })
  assert.match(table.stdout, /^name +provider +target +sources\nsoc +siem +https:\/\/s\.example\n$/i)
  const shown = await run('source show', ['prod'])
  assert.deepEqual(JSON.parse(shown.stdout), {
    name: 'prod',
    ...VAULT,
    auth: { method: 'token', token: '***' },
  })
  for (const [line, args] of [
    ['source show', ['prod']],
    ['source show', ['bad']],
    ['stream show', ['soc']],
    ['config show', []],
    ['config get', ['sources']],
    ['config get', ['sources.prod.auth.token']],
    ['config get', ['streams.soc']],
    ['source list', []],
  ] as const) {
    for (const output of ['json', 'jsonl', 'table', 'csv']) {
      const { stdout, log } = await run(line, args, { output, origin: true })
      assert.doesNotMatch(stdout + log, /hunter2/, line)
      assert.match(stdout, line === 'source list' ? /prod/ : /\*\*\*/, line)
    }
  }
})

test('source list names the sources of the environment', async (t) => {
  const { run } = setUp(t)
  const env = { INFISICAL_API_URL: 'https://i.example/api', INFISICAL_TOKEN: 'hunter2-secret' }
  const { stdout } = await run('source list', [], { output: 'json' }, { env })
  assert.deepEqual(JSON.parse(stdout), [
    { name: 'env', type: 'infisical', target: '***', default: true, origin: 'environment' },
  ])
})

test('remove takes the entry out, and the default with it', async (t) => {
  const { run, ready, written } = setUp(t, {
    defaultSource: 'a',
    sources: { a: VAULT, b: VAULT },
    streams: { soc: { ...SIEM, sources: ['a'] } },
  })
  await ready()
  const { log } = await run('source remove', ['a'])
  assert.match(log, /was the default source/)
  assert.match(log, /stream soc still names a/)
  assert.deepEqual([written()['defaultSource'], Object.keys(written()['sources'] ?? {})], [undefined, ['b']])
  await run('stream remove', ['soc'])
  assert.deepEqual(written()['streams'], {})
  await assert.rejects(run('source remove', ['a']), /no source named "a"/)
})

test('types lists what can be configured, with limits, accept window, late default and grace', async (t) => {
  const { run } = setUp(t)
  assert.deepEqual(JSON.parse((await run('source types')).stdout), [
    { type: 'vault', title: 'A vault', notes: ['reads', 'never writes'] },
  ])
  assert.deepEqual(JSON.parse((await run('stream types', [], { output: 'json' })).stdout), [
    {
      provider: 'siem',
      title: 'A SIEM',
      limits: {
        default: { maxEvents: 100, maxBytes: 1_000_000, maxEventBytes: 500_000 },
        hard: { maxEvents: 1000, maxBytes: 1_000_000, maxEventBytes: 500_000 },
      },
      acceptWindow: { past: '18h', future: null, pastMs: 64_800_000, futureMs: null },
      late: 'skip',
      grace: '1m 30s',
      graceMs: 90_000,
      searchable: 'ids',
    },
  ])
  const table = await run('stream types', [], {}, { isTerminal: true })
  assert.match(table.stdout, /siem +100 +1000000 +1000 +1000000 +500000 +-18h +skip +1m 30s +ids/)
  assert.equal((await run('stream guide', ['siem'])).stdout, '1. Make a token\n')
  await assert.rejects(run('stream guide', ['sime']), /did you mean "siem"/)
})

test('source test prints lines on a terminal, the array in a pipe, and ends with 0, 3 or 5', async (t) => {
  const { run, ready, world } = setUp(t, { sources: { prod: VAULT } })
  await ready()
  const ok = await run('source test', ['prod'], {}, { isTerminal: true })
  assert.deepEqual([ok.exitCode, ok.stdout], [0, 'ok       reachable  answered\n'])
  for (const [test, exitCode, expected] of [
    [
      async () => [{ check: 'clock', state: 'warning', message: 'skewed', hint: 'ntp' }],
      0,
      [{ check: 'clock', state: 'warning', message: 'skewed', hint: 'ntp' }],
    ],
    [
      async () => [{ check: 'events', state: 'failure', message: 'none' }],
      3,
      [{ check: 'events', state: 'failure', message: 'none', hint: null }],
    ],
    [
      async () => [{ check: 'HEC token', state: 'failure', message: 'answered 403 code 4, Invalid token' }],
      5,
      [
        {
          check: 'HEC token',
          state: 'failure',
          message: 'answered 403 code 4, Invalid token',
          hint: null,
        },
      ],
    ],
    [
      async () => [{ check: 'HEC token', state: 'failure', message: 'connect ECONNREFUSED 127.0.0.1:8403' }],
      3,
      [
        {
          check: 'HEC token',
          state: 'failure',
          message: 'connect ECONNREFUSED 127.0.0.1:8403',
          hint: null,
        },
      ],
    ],
    [
      async () => [{ check: 'plan', state: 'failure', message: 'no audit log in this plan', refused: true }],
      5,
      [{ check: 'plan', state: 'failure', message: 'no audit log in this plan', hint: null }],
    ],
    [
      async () => {
        throw new AuthError('refused the token', { hint: 'renew it' })
      },
      5,
      [{ check: 'prod', state: 'failure', message: 'refused the token', hint: 'renew it' }],
    ],
    [
      async () => {
        throw new UnavailableError('no answer')
      },
      3,
      [{ check: 'prod', state: 'failure', message: 'no answer', hint: null }],
    ],
  ] as const) {
    world.sourceTest = test as () => Promise<readonly Check[]>
    const result = await run('source test', ['prod'])
    assert.deepEqual([result.exitCode, JSON.parse(result.stdout)], [exitCode, expected])
  }
  assert.equal(world.closed.length, 8)
})

test('stream test sends nothing without --send, checks the search too, and closes both', async (t) => {
  const search = { url: 'https://q.example', token: 'env:Q' }
  const { run, ready, world } = setUp(t, { streams: { soc: { ...SIEM, search }, blind: SIEM } })
  await ready()
  const soc = await run('stream test', ['soc'])
  assert.equal(soc.exitCode, 5)
  assert.deepEqual(
    JSON.parse(soc.stdout).map((line: { message: string }) => line.message),
    ['sent none', 'answered 403'],
  )
  assert.deepEqual(world.closed, ['soc search', 'soc'])
  const blind = await run('stream test', ['blind'], { send: true })
  assert.equal(blind.exitCode, 0)
  assert.match(blind.stdout, /sent one.*no search credentials are configured/)
})
