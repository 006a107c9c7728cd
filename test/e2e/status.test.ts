import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

type Status = {
  readonly stream: string
  readonly lagSeconds: number | null
  readonly state: string
  readonly openGaps: number | null
  readonly newestAtSource: string
  readonly newestHeld: string
}

// The outage from 31 to 30 minutes ago is the only hole; the recorded events end half an hour ago.
describe('status, trail and summary', () => {
  let sandbox: SandboxProcess
  before(async () => {
    sandbox = await startSandboxProcess(['--recent', '--drop', '35m/33m'])
  })
  after(() => sandbox.stop())

  test('status has the keys of the contract, and the lag is the age of the oldest event that is missing', async () => {
    const ended = await sandbox.run(['status'])
    assert.equal(ended.code, 0, ended.stderr)
    const [status] = ended.json<Status[]>()
    assert.deepEqual(Object.keys(status ?? {}).sort(), [
      ...['lagSeconds', 'lastRun', 'newestAtSource', 'newestHeld', 'openGaps', 'provenUntil', 'source'],
      ...['state', 'stream'],
    ])
    assert.ok(
      status !== undefined && (status.lagSeconds ?? 0) > 33 * 60 && (status.lagSeconds ?? 0) < 36 * 60,
    )
    assert.deepEqual([status.state, status.openGaps], ['behind', 1])
    assert.ok(status.newestHeld > new Date(Date.now() - 33 * 60_000).toISOString())
  })

  test('--max-lag and --max-source-age exit 3 with one error; -q is silent only when all is well', async () => {
    const behind = await sandbox.run(['status', '--max-lag', '15m'])
    assert.equal(behind.code, 3)
    assert.match(behind.stderr, /^auditctl: soc lags by 3\dm.*, more than 15m$/m)
    const quietBehind = await sandbox.run(['status', '--max-lag', '15m', '-q'])
    assert.ok(quietBehind.code === 3 && quietBehind.stdout !== '')
    const fine = await sandbox.run(['status', '--max-lag', '2h', '--max-source-age', '2h', '-q'])
    assert.deepEqual([fine.code, fine.stdout, fine.stderr], [0, '', ''])
    const asked = await sandbox.run(['status', '--max-lag', '2h', '-q', '-o', 'json'])
    assert.equal(asked.json<Status[]>()[0]?.state, 'ok')
    const silent = await sandbox.run(['status', '--max-source-age', '10m', '--json'])
    assert.equal(silent.code, 3)
    const { error } = JSON.parse(silent.stderr) as { error: { code: string; message: string } }
    assert.match(error.message, /infisical has had no event for more than 10m/)
  })

  test('a stream that cannot be searched is unknown', async () => {
    sandbox.configure((config) => {
      const streams = config['streams'] as Record<string, Record<string, unknown>>
      const { search: _, ...rest } = streams['soc'] ?? {}
      return { ...config, streams: { soc: rest } }
    })
    try {
      const [status] = (await sandbox.run(['status'])).json<Status[]>()
      assert.deepEqual([status?.state, status?.lagSeconds, status?.openGaps], ['unknown', null, null])
    } finally {
      sandbox.configure((config) => config)
    }
  })

  test('each stream is looked at with a source it may be paired with, each source read once', async () => {
    sandbox.configure((config) => {
      const streams = config['streams'] as Record<string, Record<string, unknown>>
      const other = { ...config.sources['infisical'] }
      return {
        ...config,
        sources: { ...config.sources, other },
        streams: {
          soc: streams['soc'],
          more: streams['soc'],
          elsewhere: { ...streams['soc'], sources: ['other'] },
        },
      }
    })
    try {
      const before = await sandbox.state()
      const ended = await sandbox.run(['status'])
      assert.equal(ended.code, 0, ended.stderr)
      assert.deepEqual(
        ended.json<(Status & { source: string })[]>().map(({ stream, source }) => [stream, source]),
        [
          ['soc', 'infisical'],
          ['more', 'infisical'],
          ['elsewhere', 'other'],
        ],
      )
      assert.equal((await sandbox.state()).logins - before.logins, 2)
      const refused = await sandbox.run(['status', '--stream', 'elsewhere', '--source', 'infisical'])
      assert.deepEqual([refused.code, /may not be paired/.test(refused.stderr)], [2, true])
      assert.equal((await sandbox.run(['status', '--stream', 'socc'])).code, 2)
    } finally {
      sandbox.configure((config) => config)
    }
  })

  test('the metrics file tells the exit code, also of a failure, and keeps the last success', async () => {
    const metrics = (): string => readFileSync(join(sandbox.folder, 'm.prom'), 'utf8')
    await sandbox.run(['status', '--metrics-file', 'm.prom'])
    assert.match(metrics(), /auditctl_last_exit_code\{source="infisical",stream="soc",command="status"\} 0/)
    assert.match(metrics(), /auditctl_last_success_timestamp_seconds/)
    await sandbox.run(['status', '--metrics-file', 'm.prom', '--max-lag', '1m'])
    assert.match(metrics(), /auditctl_last_exit_code\{source="infisical",stream="soc",command="status"\} 3/)
    assert.match(metrics(), /auditctl_last_success_timestamp_seconds/)
    await sandbox.run(['status', '--metrics-file', 'm.prom', '--window', 'nonsense'])
    assert.match(metrics(), /auditctl_last_exit_code\{.*\} 2/)
  })

  test('summary counts every event of the window in the groups asked for', async () => {
    const ended = await sandbox.run(['summary', '--from', '2h', '--by', 'action,actor-type'])
    const { window, total, groups } = ended.json<{
      window: { from: string; to: string }
      total: number
      groups: { key: Record<string, string>; count: number }[]
    }>()
    assert.ok(window.from < window.to)
    assert.equal(
      groups.reduce((sum, { count }) => sum + count, 0),
      total,
    )
    assert.deepEqual(Object.keys(groups[0]?.key ?? {}), ['action', 'actor-type'])
    assert.deepEqual(
      groups.map(({ count }) => count),
      groups.map(({ count }) => count).sort((a, b) => b - a),
    )
    const csv = await sandbox.run(['summary', '--from', '2h', '--event', 'get-secret', '-o', 'csv'])
    assert.match(csv.stdout, /^action,count\r\nget-secret,\d+\r\n$/)
    const none = await sandbox.run(['summary', '--from', '2h', '--where', 'id=nothing'])
    assert.deepEqual([none.json()['total'], none.json()['groups']], [0, []])
    assert.equal((await sandbox.run(['summary', '--by', 'colour'])).code, 2)
  })

  test('a trail is the events of one secret or identity, oldest first', async () => {
    const sample = await sandbox.run(['query', '--from', '2h', '--event', 'get-secret', '-n', '1'])
    const { event, actor } = JSON.parse(sample.stdout) as {
      event: { metadata: { secretPath: string; secretKey: string } }
      actor: { metadata: { identityId?: string; userId?: string } }
    }
    const { secretPath, secretKey } = event.metadata
    const path = `${secretPath === '/' ? '' : secretPath}/${secretKey}`
    const trail = await sandbox.run(['trail', 'secret', path, '--from', '2h', '-o', 'json'])
    const { events, nextCursor } = trail.json<{
      events: { createdAt: string; event: { metadata: Record<string, unknown> } }[]
      nextCursor: null
    }>()
    assert.equal(nextCursor, null)
    assert.ok(events.length > 0)
    assert.ok(events.every((one) => JSON.stringify(one).includes(secretKey)))
    const times = events.map(({ createdAt }) => createdAt)
    assert.deepEqual(times, [...times].sort())
    const id = actor.metadata.identityId ?? actor.metadata.userId ?? ''
    const identity = await sandbox.run(['trail', 'identity', id, '--from', '2h'])
    assert.ok(
      identity.stdout
        .trimEnd()
        .split('\n')
        .every((line) => line.includes(id)),
    )
    const request = await sandbox.run(['trail', 'request', 'x'])
    assert.deepEqual(
      [request.code, /has no trail of a request\nhint: it has trails of/.test(request.stderr)],
      [2, true],
    )
  })
})
