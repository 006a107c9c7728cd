import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

type Native = {
  readonly id: string
  readonly createdAt: string
  readonly ipAddress: string
  readonly event: { readonly type: string; readonly metadata: Record<string, unknown> }
}
type Envelope = { readonly events: readonly Native[]; readonly nextCursor: string | null }

const HOSTILE = 'x\u001b[2Jy\u202ez\n\r\tw\u0007'
const BIN = join(import.meta.dirname, '../../bin/auditctl.js')

describe('query', () => {
  let sandbox: SandboxProcess
  let all: readonly Native[]
  const window = ['--from', '3h', '--where', 'event.type!=view-audit-logs']

  before(async () => {
    sandbox = await startSandboxProcess(['--events', '400', '--recent', '--seed', '3'])
    const ended = await sandbox.run(['query', ...window])
    all = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Native)
    assert.equal(all.length, 400, ended.stderr)
  })
  after(() => sandbox.stop())

  const query = (...args: string[]) => sandbox.run(['query', ...window, ...args])

  test('prints the window on stderr and nothing but events on stdout', async () => {
    const { stdout, stderr, code } = await query()
    assert.equal(code, 0)
    assert.match(stderr, /^window: \S+Z to \S+Z\n$/)
    assert.equal(idsOf(stdout).length, 400)
  })

  test('with -o json is one valid envelope, also without events', async () => {
    const none = await query('--where', 'event.type=nothing-of-the-kind', '-o', 'json')
    assert.deepEqual(none.json(), { events: [], nextCursor: null })
    const some = (await query('--json')).json<Envelope>()
    assert.deepEqual(some, { events: all, nextCursor: null })
  })

  test('as CSV has its header and CRLF, also without events', async () => {
    const none = await query('--where', 'event.type=nothing', '-o', 'csv', '--fields', 'id,event.type')
    assert.equal(none.stdout, 'id,event.type\r\n')
  })

  test('--fields picks by dotted path in every format', async () => {
    const fields = ['-n', '1', '--fields', 'event.type,id']
    const [first] = all
    assert.equal(
      (await query(...fields, '-o', 'csv')).stdout,
      `event.type,id\r\n${first?.event.type},${first?.id}\r\n`,
    )
    const object = { 'event.type': first?.event.type, id: first?.id }
    assert.deepEqual(JSON.parse((await query(...fields)).stdout), object)
    assert.deepEqual((await query(...fields, '-o', 'json')).json<Envelope>().events, [object])
    assert.match((await query(...fields, '-o', 'table')).stdout, /^event\.type +id\n\S+ +\S+\n$/)
  })

  test('--sort orders the rows fetched, and says that it was here', async () => {
    const sorted = await query('--sort', 'ipAddress')
    const ips = sorted.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Native).ipAddress)
    assert.deepEqual(ips, all.map(({ ipAddress }) => ipAddress).sort())
    assert.match(sorted.stderr, /ordered by ipAddress here, over the rows fetched: all of them/)
    const newest = await query('--sort', 'ipAddress', '--order', 'desc', '-n', '20', '-o', 'json')
    const { events, nextCursor } = newest.json<Envelope>()
    assert.deepEqual(
      events.map(({ ipAddress }) => ipAddress),
      all
        .slice(0, 20)
        .map(({ ipAddress }) => ipAddress)
        .sort()
        .reverse(),
    )
    assert.notEqual(nextCursor, null)
    assert.match(newest.stderr, /the newest 20 of them/)
  })

  const wheres: readonly (readonly [string, (event: Native) => boolean])[] = [
    ['event.type=get-secret', ({ event }) => event.type === 'get-secret'],
    ['event.type!=get-secret', ({ event }) => event.type !== 'get-secret'],
    ['event.type~^get-', ({ event }) => event.type.startsWith('get-')],
    ['createdAt>=NEWEST', ({ createdAt }) => createdAt >= 'NEWEST'],
    ['createdAt<NEWEST', ({ createdAt }) => createdAt < 'NEWEST'],
  ]
  for (const [expression, test_] of wheres) {
    test(`--where ${expression} keeps exactly what it says`, async () => {
      const middle = all[200]?.createdAt ?? ''
      const ended = await query('--where', expression.replace('NEWEST', middle))
      const expected = all.filter((event) =>
        expression.includes('NEWEST')
          ? expression.includes('>=')
            ? event.createdAt >= middle
            : event.createdAt < middle
          : test_(event),
      )
      assert.ok(expected.length > 0)
      assert.deepEqual(
        idsOf(ended.stdout),
        expected.map(({ id }) => id),
      )
    })
  }

  test('--shape stream and common are other shapes of the same events', async () => {
    const streamed = JSON.parse((await query('-n', '1', '--shape', 'stream')).stdout) as Record<
      string,
      unknown
    >
    assert.equal(streamed['eventType'], all[0]?.event.type)
    const common = JSON.parse((await query('-n', '1', '--shape', 'common')).stdout) as Record<string, unknown>
    assert.deepEqual([common['action'], common['time']], [all[0]?.event.type, all[0]?.createdAt])
    const [header = '', row = ''] = (await query('-n', '1', '--shape', 'stream', '-o', 'csv')).stdout.split(
      '\r\n',
    )
    assert.deepEqual(
      header.split(',').toSorted(),
      [...new Set([...Object.keys(streamed), 'projectName'])].toSorted(),
    )
    assert.ok(row.startsWith(`${streamed['id']},${streamed['createdAt']},${streamed['eventType']},`), row)
  })

  test('--explain asks the server nothing at all', async () => {
    const before = await sandbox.state()
    const { stdout, code } = await sandbox.run([
      'query',
      '--from',
      '2h',
      '--event',
      'get-secret',
      '--explain',
    ])
    assert.equal(code, 0)
    assert.match(stdout, /request: GET .*eventType=get-secret/)
    assert.match(stdout, /estimated pages: /)
    const plan = await sandbox.run(['query', '--from', '2h', '--explain', '-o', 'json'])
    assert.equal(plan.json()['order'], 'desc')
    const year = await sandbox.run(['query', '--in', '2025', '--explain', '--json'])
    const { slices, window } = year.json<{ slices: { from: string; to: string }[]; window: { to: string } }>()
    assert.deepEqual(
      [slices.length, slices[0]?.to],
      [5, window.to],
      'no release answers for more than 3 months',
    )
    const later = await sandbox.state()
    assert.deepEqual([later.requests, later.logins], [before.requests, before.logins])
  })

  test('a wrong --where, filter, field, number, time or zone is exit 2 before the server is asked', async () => {
    const before = await sandbox.state()
    for (const [args, said] of [
      [['--where', 'nonsense'], /not an expression/],
      [['--where', 'a~['], /not a regular expression/],
      [['--model', 'Secret'], /--model means nothing for the source infisical\nhint: it understands --event/],
      [['--sort', 'a..b'], /not a field/],
      [['-n', '0'], /--limit: "0" is not a whole number/],
      [['--cursor', 'x'], /not a cursor/],
      [['--tz', 'Mars/Phobos'], /not a time zone/],
      [['--time', 'later'], /is not one of utc, local, relative/],
      [['--concurrency', '0'], /--concurrency/],
      [['--deadline', 'soon'], /not a duration/],
    ] as const) {
      const ended = await sandbox.run(['query', '--from', '2h', ...args])
      assert.equal(ended.code, 2, `${args.join(' ')}: ${ended.stderr}`)
      assert.match(ended.stderr, said)
      assert.equal(ended.stdout, '')
      assert.equal(ended.stderr.match(/^auditctl: /gm)?.length, 1, ended.stderr)
    }
    for (const [args, said] of [
      [['--from', '2h', '--to', '3h'], /is not before --to/],
      [['--from', '2026-11-20T10:00:00'], /no time zone\nhint: write 2026-11-20T10:00:00Z/],
      [['--in', 'yesterday', '--from', '2h'], /cannot be combined/],
      [['--from', '2026-02-30'], /there is no 2026-02-30/],
      [['--in', '2999'], /has not begun yet/],
    ] as const) {
      const ended = await sandbox.run(['query', ...args])
      assert.equal(ended.code, 2, ended.stderr)
      assert.match(ended.stderr, said)
    }
    assert.equal((await sandbox.state()).requests, before.requests)
  })

  test('a later --to than the settle time is cut with a warning, unless --settle is given', async () => {
    const cut = await sandbox.run(['query', '--from', '2h', '--to', 'now', '-n', '1'])
    assert.match(cut.stderr, /warning: the window is cut to /)
    const given = await sandbox.run(['query', '--from', '2h', '--to', 'now', '--settle', '0s', '-n', '1'])
    assert.doesNotMatch(given.stderr, /cut/)
    const day = await sandbox.run(['query', '--from', '7d', '--to', '2026-01-02', '-n', '1'])
    assert.equal(day.code, 2)
  })

  test('hostile text is escaped in a table and unaltered in data', async () => {
    const createdAt = new Date(Date.now() - 90_000).toISOString()
    const event = {
      ...all[0],
      id: '00000000-0000-4000-8000-00000000beef',
      createdAt,
      userAgent: HOSTILE,
    }
    await sandbox.admin('events', { events: [event] })
    const args = ['query', '--from', '5m', '--where', `id=${event.id}`, '--fields', 'userAgent']
    const table = await sandbox.run([...args, '-o', 'table'])
    assert.equal(table.stdout, 'userAgent\nx\\x1b[2Jy\\u202ez\\n\\r\\tw\\x07\n')
    const lines = await sandbox.run(args.slice(0, -2))
    assert.equal((JSON.parse(lines.stdout) as typeof event).userAgent, HOSTILE)
  })

  test('`| head -1` ends both quietly with exit 0', () => {
    for (const args of ['query --from 3h', 'export --from 3h --format csv', '--help', 'help export']) {
      const line = `"${process.execPath}" "${BIN}" ${args} 2>err | head -1 >out; echo "\${PIPESTATUS[*]}"; grep -c 'auditctl: ' err`
      const { stdout } = spawnSync('bash', ['-c', line], {
        cwd: sandbox.folder,
        env: { ...sandbox.env, PATH: process.env['PATH'] },
        encoding: 'utf8',
      })
      assert.equal(stdout, '0 0\n0\n', args)
    }
  })

  test('a full disk behind stdout is exit 6, not a bug', () => {
    const line = `"${process.execPath}" "${BIN}" query --from 3h >/dev/full`
    const { status, stderr } = spawnSync('bash', ['-c', line], {
      cwd: sandbox.folder,
      env: { ...sandbox.env, PATH: process.env['PATH'] },
      encoding: 'utf8',
    })
    assert.equal(status, 6)
    assert.match(stderr, /auditctl: stdout cannot be written: no space left \(ENOSPC\)\nhint: /)
  })

  test('options may stand before or after the command, and in the environment, where 0, false and nothing are off', async () => {
    const csv = 'id\r\n'
    const args = ['--where', 'event.type=none', '--fields', 'id']
    assert.equal((await sandbox.run(['-o', 'csv', 'query', ...window, ...args])).stdout, csv)
    const run = async (env: Record<string, string>, ...more: string[]) =>
      (await sandbox.run(['query', ...args, ...more], { env: { AUDITCTL_FROM: '3h', ...env } })).stdout
    assert.equal(await run({ AUDITCTL_OUTPUT: 'csv' }), csv)
    for (const off of ['0', 'false', 'no', 'off', ''])
      assert.equal(await run({ AUDITCTL_JSON: off }, '-o', 'csv'), csv, off)
    assert.equal(await run({ AUDITCTL_JSON: '1' }, '-o', 'csv'), csv, 'what is typed wins')
    assert.equal(await run({ AUDITCTL_JSON: '1' }), '{"events":[],"nextCursor":null}\n')
    assert.equal(await run({ AUDITCTL_FROM: '1h', AUDITCTL_OUTPUT: 'csv' }, '--in', 'yesterday'), csv)
    const wrong = await sandbox.run(['query', '--from', '3h'], { env: { AUDITCTL_YES: 'perhaps' } })
    assert.deepEqual([wrong.code, /AUDITCTL_YES: "perhaps"/.test(wrong.stderr)], [2, true])
  })

  test('-q leaves the data and takes everything else', async () => {
    const ended = await query('-n', '3', '-q')
    assert.deepEqual([ended.code, ended.stderr, idsOf(ended.stdout).length], [0, '', 3])
  })
})
