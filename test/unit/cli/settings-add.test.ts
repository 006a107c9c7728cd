import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { setUp } from './settings-bench.ts'

test('source add writes what --set says, each value as the schema wants it', async (t) => {
  const { run, written, path } = setUp(t)
  const set = [
    'url=https://v.example',
    'auth.method=token',
    'auth.token=env:VAULT_TOKEN',
    'rate=5',
    'allowInsecureHttp=true',
    'liveRetry=20m',
  ]
  const { exitCode, stdout, log } = await run('source add', ['prod'], { type: 'vault', set })
  assert.deepEqual([exitCode, stdout], [0, ''])
  assert.match(log, /added the source prod to .*; try: auditctl source test prod/)
  assert.deepEqual(written(), {
    version: 1,
    sources: {
      prod: {
        type: 'vault',
        url: 'https://v.example',
        auth: { method: 'token', token: 'env:VAULT_TOKEN' },
        rate: 5,
        allowInsecureHttp: true,
        liveRetry: '20m',
      },
    },
    streams: {},
  })
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('stream add takes lists, headers by reference and whole objects', async (t) => {
  const { run, written } = setUp(t)
  const set = [
    'url=https://s.example',
    'token=keychain:hec',
    'sources=a,b',
    'headers.X-Key=env:K',
    'batch={"maxEvents":5}',
    'index=7',
  ]
  await run('stream add', ['soc'], { provider: 'siem', set })
  assert.deepEqual(written()['streams']?.['soc'], {
    provider: 'siem',
    url: 'https://s.example',
    token: 'keychain:hec',
    sources: ['a', 'b'],
    headers: { 'X-Key': 'env:K' },
    batch: { maxEvents: 5 },
    index: '7',
  })
})

test('add takes no secret as an argument, writes nothing, and does not repeat it', async (t) => {
  for (const set of [
    ['token=hunter2-secret'],
    ['headers.Authorization=hunter2-secret'],
    ['headers={"Authorization":"hunter2-secret"}'],
    ['search={"url":"https://q","token":"hunter2-secret"}'],
    ['search.token=hunter2-secret'],
  ]) {
    const { run, path } = setUp(t)
    await assert.rejects(
      run('stream add', ['soc'], { provider: 'siem', set }),
      (error: Error & { hint: string }) => {
        assert.match(error.message, /is a secret, and a secret is not taken as an argument/)
        assert.match(error.hint, /give a reference: env:NAME.*--secret-stdin/)
        assert.doesNotMatch(error.message + error.hint, /hunter2/)
        return true
      },
    )
    assert.equal(existsSync(path), false)
  }
})

test('add reads secrets from stdin, a line for each --secret-stdin', async (t) => {
  const { run, written } = setUp(t)
  const set = ['url=https://v.example', 'auth.method=universal-auth']
  await run(
    'source add',
    ['one'],
    { type: 'vault', set: [...set, 'auth.clientId=env:ID'], secretStdin: 'auth.clientSecret' },
    { stdin: 'hunter2 with spaces\n' },
  )
  await run(
    'source add',
    ['two'],
    { type: 'vault', set, secretStdin: ['auth.clientSecret', 'auth.clientId'] },
    { stdin: 'hunter2\r\nid\n' },
  )
  const { one, two } = written()['sources'] as Record<string, { auth: object }>
  assert.deepEqual(one?.auth, {
    method: 'universal-auth',
    clientId: 'env:ID',
    clientSecret: 'hunter2 with spaces',
  })
  assert.deepEqual(two?.auth, { method: 'universal-auth', clientId: 'id', clientSecret: 'hunter2' })
})

test('add says which --secret-stdin is no secret, and when stdin holds too little', async (t) => {
  const { run } = setUp(t)
  const set = ['url=https://s.example']
  for (const [secretStdin, stdin, message] of [
    ['url', 'x', /--secret-stdin url: this is not a secret of the type/],
    ['token', '', /stdin held nothing/],
    [['token', 'search.token'], 'one\n', /stdin held 1 of them/],
  ] as const) {
    await assert.rejects(run('stream add', ['soc'], { provider: 'siem', set, secretStdin }, { stdin }), {
      name: 'UserError',
      message,
    })
  }
})

test('add asks on a terminal for what is missing, secrets without echo', async (t) => {
  const { run, written } = setUp(t)
  const keys = [
    'vualt\n',
    'vault\n',
    'not a url\n',
    'https://v.example\n',
    'uni\n',
    'my-id\n',
    '\n',
    'hunter2-secret\n',
  ]
  const { stderr, stdout } = await run('source add', ['prod'], {}, { keys, isTerminal: true })
  assert.deepEqual(written()['sources']?.['prod'], {
    type: 'vault',
    url: 'https://v.example',
    auth: { method: 'universal-auth', clientId: 'my-id', clientSecret: 'hunter2-secret' },
  })
  assert.match(
    stderr,
    /type \(vault\): [\s\S]*did you mean vault\?[\s\S]*url: [\s\S]*url \(must be an http or https URL/,
  )
  assert.match(stderr, /auth\.method \(token, universal-auth\): /)
  assert.match(stderr, /auth\.clientSecret \(it must not be empty\) \(not shown\): /)
  assert.doesNotMatch(stderr + stdout, /hunter2|my-id/)
})

test('add stops at Ctrl-C with exit code 130, and at the end of the input with 2', async (t) => {
  for (const [key, error] of [
    ['\u0003', { name: 'InterruptedError', exitCode: 130 }],
    ['\u0004', { name: 'UserError', exitCode: 2 }],
  ] as const) {
    const { run, path } = setUp(t)
    await assert.rejects(run('source add', ['prod'], { type: 'vault' }, { keys: [key] }), error)
    assert.equal(existsSync(path), false)
  }
})

test('add without a terminal names every missing key, and writes nothing', async (t) => {
  const { run, path } = setUp(t)
  await assert.rejects(run('source add', ['prod'], { type: 'vault', set: ['auth.method=universal-auth'] }), {
    name: 'UserError',
    message:
      /sources\.prod\.url: is missing.*sources\.prod\.auth\.clientId: is missing.*sources\.prod\.auth\.clientSecret: is missing/,
    hint: /--secret-stdin/,
  })
  await assert.rejects(run('source add', ['prod'], {}), /needs --type/)
  await assert.rejects(run('source add', ['prod'], { type: 'valt' }), /did you mean "vault"/)
  await assert.rejects(run('source add', ['a b'], { type: 'vault' }), /is not a name/)
  await assert.rejects(
    run('source add', ['prod'], { type: 'vault', set: ['urll=https://x'] }),
    /sources\.prod\.urll: unknown key; did you mean url\?/,
  )
  await assert.rejects(run('source add', ['prod'], { type: 'vault', set: ['url'] }), /--set wants KEY=VALUE/)
  assert.equal(existsSync(path), false)
})

test('add refuses a name that is taken', async (t) => {
  const { run, ready } = setUp(t)
  await ready()
  await assert.rejects(run('source add', ['seed'], { type: 'vault' }), /There is a source named seed already/)
})
