import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gap, GapReport, RunReport } from '../../src/core/report.ts'
import { type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const BIN = join(import.meta.dirname, '../../bin/auditctl.js')
const hasScript = spawnSync('script', ['--version']).error === undefined
const KEYS = [
  ...[
    'complete',
    'duplicates',
    'gaps',
    'heldEvents',
    'judgedTo',
    'method',
    'missing',
    'provenUntil',
    'source',
  ],
  ...['sourceEvents', 'stream', 'tooYoung', 'unexpected', 'warnings', 'window'],
]

// The outage from 35 to 33 minutes ago is the only hole; the recorded events end half an hour ago.
describe('gaps', () => {
  let sandbox: SandboxProcess
  before(async () => {
    sandbox = await startSandboxProcess(['--recent', '--drop', '35m/33m'])
  })
  after(() => sandbox.stop())
  const path = (name: string): string => join(sandbox.folder, name)

  test('in a pipe is the object of the contract on stdout, and exit 3', async () => {
    const { code, stdout, stderr } = await sandbox.run(['gaps', '--stream', 'soc', '--from', '2h'])
    assert.equal(code, 3, stderr)
    const report = JSON.parse(stdout) as GapReport
    assert.deepEqual(Object.keys(report).sort(), KEYS)
    assert.equal(report.sourceEvents, report.heldEvents + report.missing)
    assert.equal(report.gaps.length, 1)
    assert.ok(report.missing > 0 && !report.complete)
    assert.match(stderr, /^window: /m)
  })

  test('-o jsonl is one gap a line, and --ids-out the missing ids', async () => {
    const args = ['gaps', '--stream', 'soc', '--from', '2h', '-o', 'jsonl', '--ids-out', path('ids.txt')]
    const { code, stdout } = await sandbox.run(args)
    assert.equal(code, 3)
    const gaps = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Gap)
    assert.deepEqual(Object.keys(gaps[0] ?? {}), ['from', 'to', 'missing', 'firstId', 'lastId'])
    const ids = readFileSync(path('ids.txt'), 'utf8').trimEnd().split('\n')
    assert.equal(ids.length, gaps[0]?.missing)
    assert.deepEqual([ids[0], ids.at(-1)], [gaps[0]?.firstId, gaps[0]?.lastId])
  })

  test('--gaps FILE with a gap that ends before it begins is exit 2 and sends nothing', async () => {
    const [from, to] = [new Date(Date.now() - 3_600_000), new Date(Date.now() - 7_200_000)]
    writeFileSync(path('turned.jsonl'), JSON.stringify({ from, to }))
    const ended = await sandbox.run(['backfill', '--stream', 'soc', '--gaps', 'turned.jsonl'])
    assert.deepEqual([ended.code, ended.stdout], [2, ''])
    assert.match(ended.stderr, /line 1 of turned\.jsonl is a gap that ends before it begins/)
  })

  test('of a pipe that closes is quiet, and still not 0 where it can be told', async () => {
    const command = `"${process.execPath}" "${BIN}" gaps --stream soc --from 2h -o jsonl | true; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', command], {
      env: { ...sandbox.env, PATH: process.env['PATH'] },
      encoding: 'utf8',
    })
    assert.match(stdout, /^[03]\n$/)
    assert.doesNotMatch(stderr, /EPIPE|Error/)
  })

  describe('on a terminal', { skip: hasScript ? false : 'script (util-linux) is not installed' }, () => {
    async function onTerminal(args: string, columns: number) {
      const command = `stty cols ${columns} rows 24; "${process.execPath}" "${BIN}" ${args} 2>err`
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: sandbox.folder,
        env: { ...sandbox.env, PATH: process.env['PATH'], TERM: 'xterm-256color', SHELL: '/bin/sh' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [shown, [code]] = await Promise.all([
        text(child.stdout),
        once(child, 'close') as Promise<[number | null]>,
      ])
      return { code, shown: shown.replace(/\u001b\[[0-9;]*m/g, '').split('\r\n') }
    }

    for (const columns of [20, 80, 200]) {
      test(`${columns} columns wide is a map, a table, and the command that refills`, async () => {
        const { code, shown } = await onTerminal('gaps --stream soc --from 2h', columns)
        assert.equal(code, 3)
        assert.match(shown[0] ?? '', /^source {2}\|/)
        assert.match(shown[2] ?? '', /^missing \|.*\^/)
        const map = shown.slice(0, 4)
        assert.ok(
          map.every((line) => line.length <= columns),
          map.join('\n'),
        )
        assert.match(shown.join('\n'), /missing in 1 gap/)
        assert.match(shown.join('\n'), /\n {2}auditctl backfill --source infisical --stream soc --from /)
      })
    }
  })

  test('--from proven:24h begins at the fallback, then where the proven stretch ended', async () => {
    const nothing = await sandbox.run(['gaps', '--stream', 'soc', '--from', 'proven'])
    assert.equal(nothing.code, 2)
    assert.match(nothing.stderr, /nothing is proven yet[\s\S]*proven:24h/)
    const before = Date.now()
    const first = await sandbox.run(['gaps', '--stream', 'soc', '--from', 'proven:2h'])
    const { window } = JSON.parse(first.stdout) as GapReport
    assert.ok(Math.abs(Date.parse(window.from) - (before - 7_200_000)) < 60_000, window.from)
    const fill = await sandbox.run([
      ...[
        'backfill',
        '--stream',
        'soc',
        '--from',
        'proven:2h',
        '--missing',
        '--verify',
        '--max-missing',
        '100%',
      ],
      ...['--report-md', path('incident.md')],
    ])
    assert.equal(fill.code, 0, fill.stderr)
    const report = fill.json<RunReport>()
    assert.equal(report.verified, true)
    const next = await sandbox.run(['gaps', '--stream', 'soc', '--from', 'proven:2h'])
    assert.equal(next.code, 0, next.stderr)
    const after = JSON.parse(next.stdout) as GapReport
    assert.equal(after.window.from, report.window.to)
    assert.equal(after.missing, 0)
    const again = await sandbox.run([
      'backfill',
      '--stream',
      'soc',
      '--from',
      'proven:2h',
      '--missing',
      '--verify',
    ])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.json<RunReport>().delivered, 0)
    assert.ok(again.json<RunReport>().window.from >= report.window.to)
  })

  test('the incident report tells when it was lost, and its commands run', async () => {
    const [run] = (await sandbox.run(['runs', 'list', '-o', 'json'])).json<RunReport[]>().slice(-1)
    const stored = readFileSync(path('incident.md'), 'utf8')
    const shown = await sandbox.run(['runs', 'show', run?.run ?? '', '--md'])
    assert.equal(shown.stdout, stored)
    assert.match(stored, /## What was lost, and when\n\n[\d,]+ events of the [\d,]+ .* in 1 gap:/)
    assert.match(
      stored,
      /by the search of `soc` \(splunk\)\. Its query, for the whole window:\n\n```\nsearch index=/,
    )
    const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(stored) ?? []
    const commands = block.trimEnd().split('\n')
    assert.equal(commands.length, 5, block)
    for (const command of commands) {
      const script = `auditctl() { "${process.execPath}" "${BIN}" "$@"; }; ${command}`
      const { status, stderr } = spawnSync('bash', ['-c', script], {
        cwd: sandbox.folder,
        env: { ...sandbox.env, PATH: process.env['PATH'] },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      })
      assert.equal(status, 0, `${command}: ${stderr}`)
    }
  })

  test('an incremental export under a NAME that is locked is exit 75, or waits with --wait', async () => {
    const args = (out: string) => [
      ...['export', '--format', 'jsonl', '--incremental', 'nightly', '--from', '2h', '--out', path(out)],
    ]
    await sandbox.admin('faults', { faults: ['infisical:slow=800'] })
    try {
      const first = sandbox.start(args('one/'))
      while (!existsSync(path('one'))) await sleep(20)
      const second = await sandbox.run(args('two/'))
      assert.equal(second.code, 75, second.stderr)
      assert.match(second.stderr, /nightly[\s\S]* is held by another run: export \(process \d+/)
      const waiting = sandbox.start([...args('one/'), '--wait'])
      assert.equal((await first.ended).code, 0, (await first.ended).stderr)
      assert.equal((await waiting.ended).code, 0, (await waiting.ended).stderr)
    } finally {
      await sandbox.admin('faults', { clear: true })
    }
    assert.equal(existsSync(path('two')), false, 'the one that was turned away left nothing')
  })
})
