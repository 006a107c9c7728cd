import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const MINUTE = 60_000

describe('export --incremental', () => {
  let sandbox: SandboxProcess
  let name = ''
  let serial = 0
  const started = Date.now()
  before(async () => {
    sandbox = await startSandboxProcess(['--events', '1', '--seed', '2'])
  })
  after(() => sandbox.stop())
  beforeEach(() => {
    serial += 1
    name = `n${serial}`
  })
  const path = (file: string): string => join(sandbox.folder, file)
  // Our own reads are events as well: a filter keeps the counts plain.
  const run = (...args: string[]) =>
    sandbox.run(['export', '--format', 'jsonl', '--path', `/${name}`, '--incremental', name, ...args])

  /** Events of one test, `ago` minutes before it began. */
  async function add(...minutesAgo: readonly number[]): Promise<readonly string[]> {
    const events = minutesAgo.map((ago, n) => ({
      id: uuid(`${name} ${ago} ${n} ${Math.random()}`),
      createdAt: new Date(started - ago * MINUTE).toISOString(),
      event: { type: 'get-secret', metadata: { secretPath: `/${name}`, secretKey: 'K', environment: 'dev' } },
      actor: { type: 'user', metadata: { email: 'a@example.test' } },
      ipAddress: '198.51.100.1',
    }))
    await sandbox.admin('events', { events })
    return events.map(({ id }) => id)
  }
  const uuid = (text: string): string =>
    createHash('sha256')
      .update(text)
      .digest('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')

  const minutes = (ago: number): string => new Date(started - ago * MINUTE).toISOString()
  const heldIn = (folder: string): string[] =>
    globSync('**/*.jsonl', { cwd: path(folder) })
      .sort()
      .flatMap((file) => idsOf(readFileSync(path(`${folder}/${file}`), 'utf8')))

  test('a folder is added to: new and late events once, nothing twice, one manifest over all', async () => {
    const first = await add(50, 40, 31)
    assert.equal((await run('--from', minutes(60), '--to', minutes(30), '--out', `${name}/`)).code, 0)
    const late = await add(33)
    const tooLate = await add(55)
    const fresh = await add(20)
    const second = await run('--from', minutes(60), '--to', minutes(10), '--out', `${name}/`)
    assert.equal(second.code, 0, second.stderr)
    assert.match(second.stderr, /warning: --from is ignored/)
    assert.deepEqual(heldIn(name).toSorted(), [...first, ...late, ...fresh].toSorted())
    assert.ok(!heldIn(name).includes(tooLate[0] ?? ''))
    const verified = await sandbox.run(['verify', `${name}/`])
    assert.equal(verified.code, 0, verified.stdout)
    const manifest = JSON.parse(readFileSync(path(`${name}/manifest.json`), 'utf8')) as {
      window: { from: string; to: string }
      totals: { rows: number }
    }
    assert.deepEqual(manifest.window, { from: minutes(60), to: minutes(10) })
    assert.equal(manifest.totals.rows, 5)
    assert.equal((await run('--out', `${name}/`)).code, 0)
    assert.equal(heldIn(name).length, 5)
  })

  test('stdout goes on where it stopped, and so does a file of each day', async () => {
    const first = await add(50, 40)
    assert.deepEqual(
      idsOf((await run('--from', minutes(60), '--to', minutes(30))).stdout).toSorted(),
      first.toSorted(),
    )
    const second = await add(35, 20)
    assert.deepEqual(idsOf((await run('--to', minutes(15))).stdout).toSorted(), second.toSorted())
    const third = await add(14)
    assert.equal((await run('--to', minutes(10), '--out', `${name}-day3.jsonl`)).code, 0)
    assert.deepEqual(idsOf(readFileSync(path(`${name}-day3.jsonl`), 'utf8')), third)
    assert.equal((await run('--to', minutes(9))).stdout, '')
  })

  test('events older than the first --from are never written, however far the overlap reaches', async () => {
    const asked = await add(10)
    await add(14)
    assert.deepEqual(idsOf((await run('--from', minutes(12), '--to', minutes(8))).stdout), asked)
    assert.deepEqual(idsOf((await run('--overlap', '1h', '--to', minutes(7))).stdout), [])
  })

  test('one that is stopped by a signal goes on after what it flushed', async () => {
    await sandbox.admin('faults', { faults: ['infisical:slow=400'] })
    try {
      const ids: string[] = []
      // More than a chunk of 4,096 rows, so that some are flushed before the end.
      for (let block = 0; block < 3; block += 1)
        ids.push(...(await add(...Array.from({ length: 3000 }, (_, n) => 60 - block * 15 - n / 600))))
      const { child, ended } = sandbox.start([
        ...['export', '--format', 'jsonl', '--path', `/${name}`, '--incremental', name],
        ...['--from', minutes(70), '--to', minutes(5), '--concurrency', '1'],
      ])
      await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
      child.kill('SIGTERM')
      const stopped = await ended
      await sandbox.admin('faults', { clear: true })
      const rest = await run('--from', minutes(70), '--to', minutes(5))
      assert.equal(rest.code, 0, rest.stderr)
      const both = [...idsOf(stopped.stdout), ...idsOf(rest.stdout)]
      assert.deepEqual(both.toSorted(), ids.toSorted())
      assert.ok(stopped.code === 143 ? idsOf(stopped.stdout).length < ids.length : stopped.code === 0)
    } finally {
      await sandbox.admin('faults', { clear: true })
    }
  })

  test('a folder export killed near its end repeats nothing later', async () => {
    const ids = await add(65, 64, 12, 11, 10)
    const args = ['--from', minutes(70), '--to', minutes(9), '--out', `${name}/`]
    for (const afterMs of [250, 350]) {
      const { child, ended } = sandbox.start([
        ...['export', '--format', 'jsonl', '--path', `/${name}`, '--incremental', name, ...args],
      ])
      await sleep(afterMs)
      child.kill('SIGKILL')
      await ended
    }
    for (let again = 0; again < 3; again += 1) assert.equal((await run(...args)).code, 0)
    assert.deepEqual(heldIn(name).toSorted(), ids.toSorted())
    assert.equal((await sandbox.run(['verify', `${name}/`])).code, 0)
  })

  test('another filter under the same name, and --overwrite of its folder, are exit 2', async () => {
    await add(20)
    await run('--from', minutes(30), '--out', `${name}/`)
    const other = await run('--event', 'get-secret', '--out', `${name}/`)
    assert.deepEqual([other.code, /was begun with another/.test(other.stderr)], [2, true])
    const empty = await run('--out', `${name}/`, '--overwrite')
    assert.deepEqual([empty.code, heldIn(name).length], [2, 1])
    // The ledger is gone: everything would be written twice.
    const env = { AUDITCTL_STATE_DIR: path('another-state') }
    const lost = await sandbox.run(
      ['export', '--format', 'jsonl', '--incremental', name, '--from', minutes(30), '--out', `${name}/`],
      { env },
    )
    assert.deepEqual([lost.code, /already exists/.test(lost.stderr)], [2, true])
  })

  test('without a watermark it needs --from', async () => {
    const ended = await run()
    assert.deepEqual([ended.code, /the window is missing/.test(ended.stderr)], [2, true])
  })
})

describe('export to a disk that is full', () => {
  const isRoot = process.getuid?.() === 0
  const mount = '/tmp/auditctl-e2e-full'
  const canMount =
    isRoot &&
    spawnSync('sh', ['-c', `mkdir -p ${mount} && mount -t tmpfs -o size=4m none ${mount}`]).status === 0
  after(() => {
    if (canMount) execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  })
  for (const out of ['full.jsonl', 'folder/'] as const) {
    test(`is exit 6 with what was written intact, and goes on when there is room (${out})`, {
      skip: canMount ? false : 'needs root, to mount a small tmpfs',
    }, async () => {
      const sandbox = await startSandboxProcess(['--events', '20000', '--seed', '2'])
      try {
        const window = ['--from', '2026-11-01', '--to', '2026-11-01T01:00:00Z']
        const args = ['export', ...window, '--format', 'jsonl', '--out', join(mount, out)]
        const full = await sandbox.run(args)
        assert.equal(full.code, 6, full.stderr)
        assert.match(
          full.stderr,
          /cannot be written: no space left on the disk \(ENOSPC\)\nhint: .*(?:intact|nothing was)/,
        )
        assert.equal(full.stderr.match(/^auditctl: /gm)?.length, 1)
        assert.equal(existsSync(join(mount, out === 'folder/' ? 'folder/manifest.json' : out)), false)
        execFileSync('mount', ['-o', 'remount,size=64m', mount])
        const resumed = await sandbox.run(args)
        assert.equal(resumed.code, 0, resumed.stderr)
        assert.match(resumed.stderr, /going on with run/)
        const whole = await sandbox.run(['export', ...window, '--format', 'jsonl'])
        const [file = ''] = globSync(out === 'folder/' ? 'folder/**/*.jsonl' : out, { cwd: mount })
        assert.equal(readFileSync(join(mount, file), 'utf8'), whole.stdout)
      } finally {
        await sandbox.stop()
        execFileSync('mount', ['-o', 'remount,size=64m', mount])
        rmSync(join(mount, out), { recursive: true, force: true })
        execFileSync('mount', ['-o', 'remount,size=4m', mount])
      }
    })
  }

  test('a state folder that is full is exit 6, too', { skip: canMount ? false : 'needs root' }, async () => {
    const sandbox = await startSandboxProcess(['--events', '500', '--seed', '2'])
    try {
      const state = join(mount, 'state')
      mkdirSync(state)
      writeFileSync(join(mount, 'ballast'), Buffer.alloc(4 << 20).subarray(0, 4_100_000), { flag: 'w' })
      spawnSync('sh', ['-c', `dd if=/dev/zero of=${mount}/ballast2 bs=1k count=5000 2>/dev/null`])
      const ended = await sandbox.run(
        ['export', '--from', '2026-11-01', '--to', '2026-11-02', '--format', 'jsonl', '--out', 'x.jsonl'],
        { env: { AUDITCTL_STATE_DIR: state } },
      )
      assert.equal(ended.code, 6, ended.stderr)
      assert.equal(ended.stderr.match(/^auditctl: /gm)?.length, 1)
    } finally {
      await sandbox.stop()
      rmSync(join(mount, 'ballast'), { force: true })
      rmSync(join(mount, 'ballast2'), { force: true })
    }
  })
})
