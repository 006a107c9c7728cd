import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { test } from 'node:test'
import { SIEM, setUp, VAULT } from './settings-bench.ts'

test('config path prints the file, whether or not it is there', async (t) => {
  const { run, path } = setUp(t)
  assert.equal((await run('config path')).stdout, `${path}\n`)
  assert.equal((await run('config path', [], { config: '/else/where.json' })).stdout, '/else/where.json\n')
})

test('config validate checks every entry, and names all problems in one error', async (t) => {
  const { run, ready, write, path } = setUp(t)
  await ready()
  const fine = await run('config validate')
  assert.deepEqual(JSON.parse(fine.stdout), { path, valid: true, sources: 1, streams: 0 })
  write({
    sources: { prod: { ...VAULT, urll: 'x' } },
    streams: { soc: { ...SIEM, sources: ['prd'], token: 5 } },
  })
  await assert.rejects(run('config validate'), {
    name: 'UserError',
    exitCode: 2,
    message:
      /has 3 problems: .*sources\.prod\.urll: unknown key; did you mean url\?.*streams\.soc\.token: found a number.*streams\.soc\.sources: there is no source named "prd"; did you mean prod\?/,
  })
  write({ sources: { prod: VAULT } })
  chmodSync(path, 0o644)
  assert.match((await run('config validate')).log, /warning: .*others can read it: chmod 600/)
})

test('config show --origin tells flag, environment, file and default apart', async (t) => {
  const { run, ready, path } = setUp(t, {
    defaultSource: 'prod',
    sources: { prod: VAULT, other: VAULT },
    streams: { soc: SIEM },
  })
  await ready()
  const origins = async (options: Record<string, unknown>, env: Record<string, string>) => {
    const { stdout } = await run('config show', [], { origin: true, ...options }, { env })
    const rows = JSON.parse(stdout) as { key: string; value: unknown; origin: string }[]
    return Object.fromEntries(rows.map(({ key, value, origin }) => [key, [value, origin]]))
  }
  const plain = await origins({}, {})
  assert.deepEqual(plain['config'], [path, 'environment AUDITCTL_CONFIG'])
  assert.deepEqual(plain['defaultSource'], ['prod', 'file'])
  assert.deepEqual(plain['sources.prod.url'], ['https://v.example', 'file'])
  assert.deepEqual(plain['sources.prod.auth.token'], ['***', 'file, literal'])
  assert.deepEqual(plain['sources.prod.slack'], ['2h', 'default'])
  assert.deepEqual(plain['streams.soc.token'], ['***', 'file, from env:HEC_TOKEN'])
  assert.deepEqual(plain['--settle'], ['60s', 'default'])
  // The parser hands over what the environment said as if it had been typed.
  const named = await origins(
    { source: 'other', settle: '5m' },
    { AUDITCTL_SOURCE: 'other', AUDITCTL_SETTLE: '5m' },
  )
  assert.deepEqual(named['defaultSource'], ['other', 'environment AUDITCTL_SOURCE'])
  assert.deepEqual(named['--settle'], ['5m', 'environment AUDITCTL_SETTLE'])
  const typed = await origins(
    { source: 'prod', settle: '9m' },
    { AUDITCTL_SOURCE: 'other', AUDITCTL_SETTLE: '5m' },
  )
  assert.deepEqual(typed['defaultSource'], ['prod', 'flag --source'])
  assert.deepEqual(typed['--settle'], ['9m', 'flag --settle'])
})

test('config get prints one value, and says when a key is not set or not a key', async (t) => {
  const { run, ready } = setUp(t, { sources: { 'my.prod': { ...VAULT, rate: 5 } } })
  await ready()
  for (const [key, output] of [
    ['version', '1\n'],
    ['sources.my.prod.url', 'https://v.example\n'],
    ['sources.my.prod.rate', '5\n'],
    ['sources.my.prod.auth', '{"method":"token","token":"***"}\n'],
  ] as const) {
    assert.equal((await run('config get', [key])).stdout, output)
  }
  await assert.rejects(run('config get', ['sources.my.prod.slack']), /is not set/)
  await assert.rejects(run('config get', ['defaultSource']), /is not set/)
  await assert.rejects(run('config get', ['sorces.x']), { hint: 'did you mean sources?' })
  await assert.rejects(run('config get', ['sources.none.url']), /no source named "none"/)
})

test('config set changes one key, as the schema wants it, and refuses what would not be valid', async (t) => {
  const { run, ready, written } = setUp(t, {
    sources: { prod: { ...VAULT, regoin: 'x' }, other: VAULT },
    streams: { soc: SIEM },
  })
  await ready()
  await run('config set', ['defaultSource', 'prod'])
  await run('config set', ['sources.prod.rate', '5'])
  await run('config set', ['streams.soc.headers.X-Key', 'file:key'])
  await run('config set', ['streams.soc.sources', 'prod'])
  const { defaultSource, sources, streams } = written()
  assert.equal(defaultSource, 'prod')
  assert.equal((sources?.['prod'] as { rate: number } | undefined)?.rate, 5)
  assert.deepEqual(streams?.['soc'], { ...SIEM, headers: { 'X-Key': 'file:key' }, sources: ['prod'] })
  const before = written()
  for (const [key, value, message] of [
    ['defaultSource', 'prd', /no source named "prd"/],
    ['sources.prod.rate', 'fast', /sources\.prod\.rate: found "fast"; allowed: a number/],
    ['sources.prod.urll', 'x', /urll: unknown key; did you mean url/],
    ['sources.prod.type', 'valt', /did you mean "vault"/],
    ['sources.none.url', 'x', /no source named none in/],
    ['sources.prod', 'x', /is a whole source/],
    ['sources', 'x', /is not set this way/],
    ['version', '2', /is not set this way/],
    ['verison', '2', /is not a key/],
  ] as const) {
    await assert.rejects(run('config set', [key, value]), { name: 'UserError', message })
  }
  await assert.rejects(
    run('config set', ['sources.prod.auth.token', 'hunter3-secret']),
    (error: Error & { hint: string }) => {
      assert.match(error.message, /auth\.token is a secret/)
      assert.doesNotMatch(error.message + error.hint, /hunter3/)
      return true
    },
  )
  assert.deepEqual(written(), before)
})
