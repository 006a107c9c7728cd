import assert from 'node:assert/strict'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Ended } from '../support/program.ts'
import { freePort, idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const EVENTS = 3000
const WINDOW = ['--from', '2026-11-01', '--to', '2026-11-01T00:05:00Z']
const TLS = join(import.meta.dirname, '../fixtures/tls')
const PLANTED = 'pl4nt3d-s3cr3t-0f-th1s-t3st'

/** A failure is exactly one error on stderr, with what to do next and without a stack. */
function assertOneError(ended: Ended, code: number, said: RegExp): void {
  assert.equal(ended.code, code, ended.stderr)
  assert.match(ended.stderr, said)
  assert.equal(ended.stderr.match(/^auditctl: /gm)?.length, 1, ended.stderr)
  assert.doesNotMatch(ended.stderr, /^ {4}at |node:internal|file:\/\//m)
}

describe('bad days', () => {
  let sandbox: SandboxProcess
  let expected: readonly string[]
  before(async () => {
    sandbox = await startSandboxProcess(['--events', String(EVENTS), '--seed', '4'])
    expected = idsOf((await sandbox.run(['export', ...WINDOW, '--format', 'jsonl'])).stdout)
    assert.equal(expected.length, EVENTS)
  })
  after(() => sandbox.stop())
  afterEach(async () => {
    await sandbox.admin('reset')
    sandbox.configure((config) => config)
  })

  const source = (change: Record<string, unknown>) =>
    sandbox.configure((config) => ({
      ...config,
      sources: { infisical: { ...config.sources['infisical'], ...change } },
    }))
  const faults = (...specs: string[]) =>
    sandbox.admin('faults', { faults: specs.map((spec) => `infisical:${spec}`) })
  const exported = (...args: string[]) => sandbox.run(['export', ...WINDOW, '--format', 'jsonl', ...args])

  for (const fault of [
    'rate-limitx3',
    'rate-limit-barex2',
    'error-500x3',
    'resetx3',
    'reset-bodyx2',
    'truncatex2',
    'htmlx2',
    'html=502',
    'token-expire',
    'token-expire@4',
    'loop',
    'token-ttl=1',
    'uses-limit=3',
    'error-504=60s',
    'duplicates=10',
    'slow=50',
  ]) {
    test(`every event once, in order, in spite of ${fault}`, async () => {
      await faults(fault)
      const ended = await exported()
      assert.equal(ended.code, 0, ended.stderr)
      assert.deepEqual(idsOf(ended.stdout), expected)
    })
  }

  test('pages written over many lines are still an event a line', async () => {
    await faults('pretty')
    const ended = await exported()
    assert.deepEqual(idsOf(ended.stdout), expected)
  })

  test('an event of a megabyte comes through whole', async () => {
    await faults('big-event=1000000')
    const ended = await exported()
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(idsOf(ended.stdout).length, EVENTS + 1)
    assert.ok(ended.stdout.split('\n').some((line) => line.length > 1_000_000))
  })

  for (const [fault, said] of [
    ['error-500x*', /500/],
    ['resetx*', /(reset|broke|closed|ended)/],
    ['htmlx*', /HTML/i],
    ['truncatex*', /(JSON|cut|ends)/],
    ['rate-limitx*=1', /(429|slow down|rate)/i],
    ['hangx*', /(no answer|timed out|within)/],
  ] as const) {
    test(`${fault} for ever is exit 6, one error, and no file`, async () => {
      await faults(fault)
      const ended = await exported(
        '--retries',
        '1',
        '--timeout',
        '1s',
        '--out',
        `never-${fault.slice(0, 4)}.jsonl`,
      )
      assertOneError(ended, 6, said)
      assert.deepEqual(globSync(`never-${fault.slice(0, 4)}.jsonl`, { cwd: sandbox.folder }), [])
    })
  }

  test('wrong credentials are exit 5 after one attempt', async () => {
    const auth = sandbox.config.sources['infisical']?.['auth'] as Record<string, string>
    source({ auth: { ...auth, clientSecret: 'wrong' } })
    const before = await sandbox.state()
    const ended = await exported()
    assertOneError(ended, 5, /refused|rejected|Invalid/i)
    const later = await sandbox.state()
    assert.equal(later.requests - before.requests, 1)
  })

  test('a permission that is missing is exit 5', async () => {
    await faults('forbiddenx*')
    assertOneError(await exported(), 5, /permission/i)
  })

  test('an unreachable host is exit 6 and says where it looked', async () => {
    const port = await freePort()
    source({ url: `http://127.0.0.1:${port}` })
    assertOneError(await exported('--retries', '1'), 6, new RegExp(`127.0.0.1:${port}.*refused`))
    source({ url: 'https://no-such-host.invalid' })
    assertOneError(await exported('--retries', '0'), 6, /no-such-host\.invalid/)
  })

  test('a certificate that nobody trusts is exit 6 and names the setting', async () => {
    const server = createServer({
      key: readFileSync(join(TLS, 'server-key.pem')),
      cert: readFileSync(join(TLS, 'server.pem')),
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      source({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` })
      assertOneError(await exported('--retries', '1'), 6, /certificate[\s\S]*(caFile|CA)/i)
    } finally {
      server.close()
    }
  })

  test('help of a command that there is not is exit 2 with a suggestion', async () => {
    for (const words of [
      ['help', 'querry'],
      ['querry', '--help'],
    ])
      assertOneError(await sandbox.run(words), 2, /unknown command 'querry'\nhint: did you mean query\?/)
    assert.equal((await sandbox.run(['help', 'query'])).code, 0)
  })

  test('plain http off loopback is exit 2', async () => {
    source({ url: 'http://198.51.100.1' })
    assertOneError(await exported(), 2, /http[\s\S]*allowInsecureHttp/)
  })

  test('an unknown configuration key is exit 2 with a suggestion', async () => {
    source({ pagesize: 10 })
    assertOneError(await exported(), 2, /pagesize[\s\S]*pageSize/)
    writeFileSync(sandbox.env['AUDITCTL_CONFIG'] ?? '', '{"version":1,', { mode: 0o600 })
    assertOneError(await exported(), 2, /config\.json/)
  })

  test('a damaged or unwritable state folder is exit 2 and names it', async () => {
    const state = join(sandbox.folder, 'bad-state')
    mkdirSync(state)
    writeFileSync(join(state, 'ledger.db'), 'half written nonsense '.repeat(400))
    const damaged = await sandbox.run(['export', ...WINDOW, '--format', 'jsonl', '--out', 'a.jsonl'], {
      env: { AUDITCTL_STATE_DIR: state },
    })
    assertOneError(damaged, 2, /bad-state\/ledger\.db/)
    const file = join(sandbox.folder, 'a-file')
    writeFileSync(file, '')
    const unwritable = await sandbox.run(['export', ...WINDOW, '--format', 'jsonl', '--out', 'a.jsonl'], {
      env: { AUDITCTL_STATE_DIR: file },
    })
    assertOneError(unwritable, 2, /a-file/)
  })

  test('without HOME, without a terminal, with stdin closed and in a folder that cannot be written, a query works', async () => {
    const ended = await sandbox.run(['query', ...WINDOW, '-n', '1'], { env: { HOME: '' }, cwd: '/proc' })
    assert.equal(ended.code, 0, ended.stderr)
    const refused = await sandbox.run(['export', ...WINDOW, '--format', 'jsonl', '--out', 'x.jsonl'], {
      cwd: '/proc',
    })
    assertOneError(refused, 2, /\/proc\/x\.jsonl/)
  })

  test('broken input lines are reported, counted and left out: exit 4; with --strict exit 2', async () => {
    const good = (n: number): string =>
      JSON.stringify({ id: `e${n}`, createdAt: `2026-11-01T00:00:0${n}Z`, event: { type: 'x' } })
    writeFileSync(join(sandbox.folder, 'old.jsonl'), [good(1), '{"id":', good(2), 'nonsense', ''].join('\n'))
    sandbox.configure((config) => ({
      ...config,
      sources: { ...config.sources, old: { type: 'file', path: 'old.jsonl', of: 'infisical' } },
    }))
    const args = ['export', '--source', 'old', ...WINDOW, '--format', 'jsonl']
    const ended = await sandbox.run([...args, '--out', 'left/'])
    assertOneError(ended, 4, /old\.jsonl: line 2 [\s\S]*old\.jsonl: line 4 /)
    const manifest = JSON.parse(readFileSync(join(sandbox.folder, 'left/manifest.json'), 'utf8')) as {
      complete: boolean
      reasons: string[]
      totals: { rows: number }
    }
    assert.deepEqual([manifest.complete, manifest.totals.rows], [false, 2])
    assert.deepEqual(manifest.reasons, ['2 broken input lines were left out'])
    // The files are what was written: that is what verify is asked.
    assert.equal((await sandbox.run(['verify', 'left/'])).code, 0)
    const [report] = (await sandbox.run(['runs', 'list', '--json'])).json<
      { problems: string[]; status: string }[]
    >()
    assert.deepEqual([report?.status, report?.problems], ['completed', manifest.reasons])
    assertOneError(await sandbox.run([...args, '--strict']), 2, /line 2 /)
    const query = await sandbox.run(['query', '--source', 'old', ...WINDOW])
    assert.deepEqual([query.code, idsOf(query.stdout)], [0, ['e2', 'e1']])
  })

  test('--deadline is exit 124, a signal 130 or 143, each with one line', async () => {
    await faults('hangx*')
    assertOneError(await exported('--deadline', '600ms'), 124, /deadline/)
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const { child, ended } = sandbox.start(['query', ...WINDOW])
      await once(child.stderr as NodeJS.ReadableStream, 'data')
      child.kill(signal)
      assertOneError(await ended, code, /^auditctl: (?:interrupted|stopped by SIGTERM)$/m)
    }
  })

  test('with --json, or a log in JSON, an error is one JSON object', async () => {
    const auth = sandbox.config.sources['infisical']?.['auth'] as Record<string, string>
    source({ auth: { ...auth, clientSecret: 'wrong' } })
    for (const args of [['--json'], ['-o', 'json'], ['--log-format', 'json']]) {
      const { stderr, code } = await sandbox.run(['query', ...WINDOW, ...args, '-q'])
      const { error } = JSON.parse(stderr) as { error: Record<string, unknown> }
      assert.deepEqual(
        [code, error['exitCode'], error['code'], typeof error['message']],
        [5, 5, 'auth', 'string'],
      )
      assert.ok('hint' in error)
    }
    const usage = await sandbox.run(['query', '--nonsense', '--json'])
    assert.equal((JSON.parse(usage.stderr) as { error: { exitCode: number } }).error.exitCode, 2)
  })

  test('a filter that means nothing for the source is refused before anything is said, locked or recorded', async () => {
    const runs = async () => (await sandbox.run(['runs', 'list', '--json'])).json<unknown[]>().length
    const before = await runs()
    for (const words of [
      ['query', '--from', '1h'],
      ['export', ...WINDOW, '--format', 'jsonl', '--out', 'refused.jsonl'],
    ]) {
      const { code, stderr } = await sandbox.run([...words, '--model', 'Secret', '--json'])
      assert.equal(code, 2)
      assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'unknown-filter')
    }
    assert.equal(await runs(), before)
  })

  test('a stack trace appears with -vv and only then', async () => {
    source({ url: `http://127.0.0.1:${await freePort()}` })
    assert.match((await exported('--retries', '0', '-vv')).stderr, /^ {4}at /m)
    assert.doesNotMatch((await exported('--retries', '0', '-v')).stderr, /^ {4}at /m)
  })

  test('a planted secret appears in no output, log, file or state, at any verbosity', async () => {
    const auth = sandbox.config.sources['infisical']?.['auth'] as Record<string, string>
    const told: string[] = []
    const gather = async (args: readonly string[], env: Record<string, string> = {}): Promise<void> => {
      const { stdout, stderr } = await sandbox.run(args, { env })
      told.push(stdout, stderr)
    }
    const verbose = ['-vv', '--log-format', 'json']
    // Accepted: the sandbox's own secret; refused: the planted one, in every way it can be given.
    const real = auth['clientSecret'] ?? ''
    await gather([
      'export',
      ...WINDOW,
      '--format',
      'jsonl',
      '--out',
      'secret/',
      ...verbose,
      '--metrics-file',
      'm.prom',
    ])
    source({ auth: { ...auth, clientSecret: PLANTED } })
    await gather(['query', ...WINDOW, '-vv'])
    await gather(['query', ...WINDOW, ...verbose])
    await gather(['export', ...WINDOW, '--format', 'jsonl', '--out', 'secret2/', '-vv'])
    await gather(['config', 'show', '--origin', '-vv'])
    await gather(['source', 'show', 'infisical', '--json'])
    source({ auth: { method: 'token', token: 'env:PLANTED_TOKEN' } })
    await gather(['query', ...WINDOW, '-vv'], { PLANTED_TOKEN: PLANTED })
    source({ url: `https://user:${PLANTED}@127.0.0.1:1` })
    await gather(['query', ...WINDOW, '-vv'])
    sandbox.configure((config) => config)
    const files = globSync('**/*', { cwd: sandbox.folder }).filter(
      (name) => name !== 'config.json' && statSync(join(sandbox.folder, name)).isFile(),
    )
    assert.deepEqual(told.slice(0, 1), [''])
    assert.ok(files.includes('state/ledger.db') && files.includes('secret/manifest.json'))
    for (const name of files) told.push(readFileSync(join(sandbox.folder, name), 'latin1'))
    for (const [n, text] of told.entries()) {
      assert.ok(!text.includes(PLANTED), `${n}: ${text.slice(0, 2000)}`)
      assert.ok(real.length > 8 && !text.includes(real), `${n}: the real secret`)
    }
  })
})
