import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decompress } from '../../src/storage/decompress.ts'
import { readFileBlocks } from '../../src/storage/files.ts'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const EVENTS = 60_000 // a hundred minutes, ten a second
const WINDOW = ['--from', '2026-11-01', '--to', '2026-11-01T01:40:00Z']
const JSONL = ['--format', 'jsonl']

type Manifest = Record<string, unknown> & {
  readonly files: readonly { readonly path: string; readonly rows: number; readonly sha256: string }[]
}

describe('export', () => {
  let sandbox: SandboxProcess
  let whole: Buffer
  before(async () => {
    sandbox = await startSandboxProcess(['--events', String(EVENTS), '--seed', '9'])
    const ended = await sandbox.run(['export', ...WINDOW, ...JSONL, '--out', 'whole.jsonl'])
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stderr, /60,000 events written to \S+whole\.jsonl\n$/)
    assert.equal(ended.stdout, '')
    whole = readFileSync(path('whole.jsonl'))
  })
  after(() => sandbox.stop())
  const path = (name: string): string => join(sandbox.folder, name)
  const run = (...args: string[]) => sandbox.run(['export', ...WINDOW, ...args])

  test('60,000 events are each there once, in order of time and id, as the server spelled them', async () => {
    const lines = whole.toString().trimEnd().split('\n')
    const keys = lines.map((line) => {
      const { id, createdAt } = JSON.parse(line) as { id: string; createdAt: string }
      return `${createdAt} ${id}`
    })
    assert.equal(new Set(keys).size, EVENTS)
    assert.deepEqual(keys, [...keys].sort())
    const asked = await sandbox.run(['query', ...WINDOW, '--where', `id=${keys[777]?.split(' ')[1]}`])
    assert.equal(asked.stdout.trimEnd(), lines[777])
  })

  for (const compress of ['gzip', 'zstd'] as const) {
    test(`--compress ${compress} holds the same bytes`, async () => {
      assert.equal((await run(...JSONL, '--out', `whole.${compress}`, '--compress', compress)).code, 0)
      const blocks: Buffer[] = []
      for await (const block of decompress(readFileBlocks(path(`whole.${compress}`)), compress))
        blocks.push(Buffer.from(block))
      assert.ok(Buffer.concat(blocks).equals(whole))
    })
  }

  test('CSV has a header, CRLF, a row for each event, and guards its cells', async () => {
    const { stdout, code } = await run('--format', 'csv', '--fields', 'id,createdAt')
    assert.equal(code, 0)
    const rows = stdout.split('\r\n')
    assert.deepEqual([rows[0], rows.length, rows.at(-1)], ['id,createdAt', EVENTS + 2, ''])
    assert.deepEqual(
      rows.slice(1, -1).map((row) => row.split(',')[0]),
      idsOf(whole.toString()),
    )
  })

  for (const compress of ['none', 'zstd'] as const) {
    test(`an export to a file (${compress}), killed at random moments, ends with the same bytes`, async () => {
      const name = `killed.${compress}`
      const more = compress === 'none' ? [] : ['--compress', compress]
      const args = ['export', ...WINDOW, ...JSONL, ...more, '--out', name, '--concurrency', '1']
      for (const afterMs of [350, 700, 1100, 450]) {
        const { child, ended } = sandbox.start(args)
        await sleep(afterMs)
        child.kill('SIGKILL')
        await ended
      }
      const ended = await sandbox.run(args)
      // It may have come to its end before the last kill: then the name is taken, and the file is whole.
      assert.ok(ended.code === 0 || /already exists/.test(ended.stderr), ended.stderr)
      await run(...JSONL, ...more, '--out', `reference.${compress}`)
      const bytes = readFileSync(path(name))
      assert.ok(bytes.equals(readFileSync(path(`reference.${compress}`))))
      assert.equal(existsSync(path(`${name}.part`)), false)
    })
  }

  test('an export to a folder, killed in the middle, ends with the same files, and verify finds them whole', async () => {
    const args = (name: string) => ['export', ...WINDOW, ...JSONL, '--compress', 'gzip', '--out', `${name}/`]
    await sandbox.run(args('once'))
    for (let kill = 0; kill < 3; kill += 1) {
      const { child, ended } = sandbox.start([...args('folder'), '--concurrency', '1'])
      await sleep(500 + 300 * kill)
      child.kill('SIGKILL')
      await ended
    }
    const ended = await sandbox.run([...args('folder'), '--concurrency', '1'])
    assert.ok(ended.code === 0 || /already exists/.test(ended.stderr), ended.stderr)
    const filesOf = (name: string) => globSync('**/*.gz', { cwd: path(name) }).sort()
    assert.deepEqual(filesOf('folder'), filesOf('once'))
    for (const file of filesOf('once'))
      assert.ok(readFileSync(path(`folder/${file}`)).equals(readFileSync(path(`once/${file}`))), file)
    const verified = await sandbox.run(['verify', 'folder/'])
    assert.deepEqual([verified.code, verified.json()['ok']], [0, true])
  })

  test('the manifest has the fields of the contract, and its sums are right', () => {
    const manifest = JSON.parse(readFileSync(path('once/manifest.json'), 'utf8')) as Manifest
    assert.deepEqual(Object.keys(manifest).sort(), [
      ...['complete', 'compression', 'createdAt', 'emptyIntervals', 'files', 'format', 'idDigest', 'query'],
      ...['queryHash', 'reasons', 'runId', 'source', 'tool', 'totals', 'version', 'window'],
    ])
    const [first] = manifest.files
    assert.deepEqual(Object.keys(first ?? {}).sort(), [
      ...['bytes', 'firstId', 'firstTime', 'lastId', 'lastTime', 'path', 'rawBytes', 'rows', 'sha256'],
    ])
    assert.deepEqual(
      manifest.files.map((file) => file.path),
      ['dt=2026-11-01/hour=00/part-0000.jsonl.gz', 'dt=2026-11-01/hour=01/part-0000.jsonl.gz'],
    )
    for (const file of manifest.files) {
      const bytes = readFileSync(path(`once/${file.path}`))
      assert.equal(createHash('sha256').update(bytes).digest('hex'), file.sha256)
    }
    assert.equal(
      manifest.files.reduce((sum, { rows }) => sum + rows, 0),
      EVENTS,
    )
    const source = manifest['source'] as Record<string, unknown>
    for (const key of ['name', 'type', 'url', 'organization', 'identity', 'scope', 'retentionFloor'])
      assert.ok(key in source, key)
    assert.deepEqual(manifest['complete'], true)
  })

  test('verify names every missing, altered, shortened and foreign file, and wrong sums, with exit 3', async () => {
    const findings = async (): Promise<readonly string[]> => {
      const { code, stdout, stderr } = await sandbox.run(['verify', 'broken/', '--json'])
      assert.equal(code, 3, stderr)
      assert.equal((JSON.parse(stderr) as { error: { exitCode: number } }).error.exitCode, 3)
      return (JSON.parse(stdout) as { findings: string[] }).findings
    }
    const begin = async (): Promise<Manifest> => {
      rmSync(path('broken'), { recursive: true, force: true })
      await run(...JSONL, '--out', 'broken/')
      return JSON.parse(readFileSync(path('broken/manifest.json'), 'utf8')) as Manifest
    }
    const hour0 = 'dt=2026-11-01/hour=00/part-0000.jsonl'
    await begin()
    writeFileSync(path('broken/.hidden'), '')
    symlinkSync('/nonexistent', path('broken/link'))
    assert.deepEqual((await findings()).toSorted(), [
      '.hidden is foreign: the manifest does not name it',
      'link is foreign: the manifest does not name it',
    ])
    await begin()
    const bytes = readFileSync(path(`broken/${hour0}`))
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(path(`broken/${hour0}`), bytes)
    assert.deepEqual(await findings(), [`${hour0} is altered: its SHA-256 is another`])
    appendFileSync(path(`broken/${hour0}`), 'x')
    assert.match((await findings())[0] ?? '', /is altered: \d+ bytes, \d+ were written/)
    rmSync(path(`broken/${hour0}`))
    assert.deepEqual(await findings(), [`${hour0} is missing`])
    const manifest = await begin()
    writeFileSync(
      path('broken/manifest.json'),
      JSON.stringify({ ...manifest, totals: { ...(manifest['totals'] as object), rows: 1 } }),
    )
    assert.deepEqual(await findings(), ['manifest.json totals.rows is 1, its files add up to 60000'])
    writeFileSync(path('broken/manifest.json'), '{"version":1')
    const damaged = await sandbox.run(['verify', 'broken/'])
    assert.deepEqual([damaged.code, /cannot be used/.test(damaged.stderr)], [2, true])
  })

  test('verify needs no server, checks a run, and names a file that is gone', async () => {
    const runs = (await sandbox.run(['runs', 'list', '--json'])).json<{ run: string; out: string }[]>()
    const own = runs.find(({ out }) => out === path('whole.jsonl'))?.run ?? ''
    const env = { AUDITCTL_CONFIG: '/nonexistent/config.json' }
    assert.equal((await sandbox.run(['verify', own], { env })).code, 0)
    writeFileSync(path('whole.jsonl'), whole.subarray(0, whole.indexOf('\n') + 1))
    const cut = await sandbox.run(['verify', own], { env })
    assert.equal(cut.code, 3)
    assert.match(cut.stdout, /holds 1 rows, 60000 were written/)
    rmSync(path('whole.jsonl'))
    assert.match((await sandbox.run(['verify', own], { env })).stdout, /whole\.jsonl is missing/)
    assert.equal((await sandbox.run(['verify', 'no-such-run'], { env })).code, 2)
  })

  test('an existing target is exit 2 and untouched, until --overwrite', async () => {
    writeFileSync(path('taken.jsonl'), 'mine')
    const refused = await run(...JSONL, '--out', 'taken.jsonl')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /taken\.jsonl already exists\nhint: .*--overwrite/)
    assert.equal(readFileSync(path('taken.jsonl'), 'utf8'), 'mine')
    assert.equal((await run(...JSONL, '--out', 'taken.jsonl', '--overwrite')).code, 0)
    assert.ok(readFileSync(path('taken.jsonl')).equals(whole))
    mkdirSync(path('other'))
    writeFileSync(path('other/mine.txt'), 'mine')
    for (const out of ['other/', 'other', 'once/']) assert.equal((await run(...JSONL, '--out', out)).code, 2)
    assert.equal(readFileSync(path('other/mine.txt'), 'utf8'), 'mine')
    assert.equal((await run(...JSONL, '--out', 'missing/folder.jsonl')).code, 2)
  })

  test('--overwrite of a folder removes what an export left there, and nothing else', async () => {
    writeFileSync(path('once/README'), 'mine')
    assert.equal((await run('--format', 'csv', '--out', 'once/', '--overwrite')).code, 0)
    assert.deepEqual(globSync('once/**/part-*', { cwd: sandbox.folder }).length, 2)
    assert.equal(readFileSync(path('once/README'), 'utf8'), 'mine')
  })

  test('a second export to the same target is exit 75 at once, or waits with --wait', async () => {
    await sandbox.admin('faults', { faults: ['infisical:slow=150'] })
    try {
      const first = sandbox.start(['export', ...WINDOW, ...JSONL, '--out', 'locked.jsonl', '--overwrite'])
      while (!existsSync(path('locked.jsonl.part'))) await sleep(20)
      const second = await run(...JSONL, '--out', 'locked.jsonl', '--overwrite')
      assert.equal(second.code, 75, second.stderr)
      assert.match(
        second.stderr,
        /the export target \S+locked\.jsonl is held by another run: export \(process \d+/,
      )
      const waiting = sandbox.start(['export', ...WINDOW, ...JSONL, '--out', 'locked.jsonl', '--wait'])
      assert.equal((await first.ended).code, 0)
      // By then the file is there, and is not to be replaced.
      assert.equal((await waiting.ended).code, 2)
    } finally {
      await sandbox.admin('faults', { clear: true })
    }
  })

  test('a relative --from is resolved once: resumed a second later it is the same window', async () => {
    const args = [
      'export',
      '--from',
      '52w',
      '--to',
      '2026-11-01T01:40:00Z',
      ...JSONL,
      '--out',
      'once-resolved.jsonl',
    ]
    const { child, ended } = sandbox.start([...args, '--concurrency', '1'])
    while (!existsSync(path('once-resolved.jsonl.part'))) await sleep(5)
    child.kill('SIGKILL')
    const killed = await ended
    const window = /^window: .*$/m.exec(killed.stderr)?.[0]
    await sleep(1100)
    const resumed = await sandbox.run(args)
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.match(resumed.stderr, /going on with run /)
    assert.equal(/^window: .*$/m.exec(resumed.stderr)?.[0], window)
  })

  test('runs resume finishes a killed export by its id alone, and reports it', async () => {
    const { child, ended } = sandbox.start([
      ...['export', ...WINDOW, ...JSONL, '--out', 'by-id.jsonl', '--concurrency', '1'],
    ])
    while (!existsSync(path('by-id.jsonl.part'))) await sleep(10)
    child.kill('SIGKILL')
    await ended
    const runs = (await sandbox.run(['runs', 'list', '--json'])).json<{ run: string }[]>()
    const resumed = await sandbox.run(['runs', 'resume', runs[0]?.run ?? ''], { cwd: '/' })
    assert.equal(resumed.code, 0, resumed.stderr)
    const report = resumed.json<{ mode: string; status: string; out: string; written: number }>()
    assert.deepEqual(
      [report.mode, report.status, report.out, report.written],
      ['export', 'completed', path('by-id.jsonl'), EVENTS],
    )
    const fresh = await run(...JSONL)
    assert.equal(readFileSync(path('by-id.jsonl'), 'utf8'), fresh.stdout)
    assert.equal((await sandbox.run(['runs', 'resume', runs[0]?.run ?? ''])).code, 0)
  })

  test('an interrupted export says how to go on, and does', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const name = `${signal}.jsonl`
      const args = ['export', ...WINDOW, ...JSONL, '--out', name, '--concurrency', '1']
      await sandbox.admin('faults', { faults: ['infisical:slow=40'] })
      const { ended, kill } = sandbox.start(args)
      while (!existsSync(path(`${name}.part`))) await sleep(10)
      kill(signal)
      const stopped = await ended
      await sandbox.admin('reset')
      assert.equal(stopped.code, code, stopped.stderr)
      assert.equal(stopped.stderr.match(/^auditctl: /gm)?.length, 1, stopped.stderr)
      const [, command = ''] =
        /^auditctl: .*: auditctl (runs resume \S+) goes on$/m.exec(stopped.stderr) ?? []
      const resumed = await sandbox.run(command.split(' '))
      assert.equal(resumed.code, 0, `${stopped.stderr}${resumed.stderr}`)
      assert.ok(readFileSync(path(name)).equals(whole))
    }
  })

  test('--explain writes nothing and takes no lock', async () => {
    const ended = await run(...JSONL, '--out', 'explained.jsonl', '--explain')
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stdout, /^source: infisical/)
    assert.equal(existsSync(path('explained.jsonl')), false)
  })

  test('files are for their owner only', () => {
    assert.equal(statSync(path('taken.jsonl')).mode & 0o777, 0o600)
    assert.equal(statSync(path('folder/manifest.json')).mode & 0o777, 0o600)
  })
})
