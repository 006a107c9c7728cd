import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { installGlobally, packInto } from './installed-package.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The oldest line of Node that the program supports, the one it is developed on, and the newest. */
const NODES = {
  '22': join(ROOT, 'node_modules/node22/bin/node'),
  '24': process.execPath,
  '26': join(ROOT, 'node_modules/node26/bin/node'),
}

// The package as npm installs it, away from this repository: what it does not bring with it is not there.
const home = mkdtempSync(join(tmpdir(), 'auditctl-installed-'))
after(() => rmSync(home, { recursive: true, force: true }))
const BIN = join(installGlobally(join(home, packInto(home).filename), home), 'bin/auditctl.js')

type Result = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

for (const [major, node] of Object.entries(NODES)) {
  describe(`the installed package on Node ${major}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'auditctl-e2e-'))
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AUDITCTL_CONFIG: join(folder, 'config.json'),
      AUDITCTL_STATE_DIR: join(folder, 'state'),
      NODE_COMPILE_CACHE: join(folder, 'cache'),
    }
    // 3,000 generated events lie between 65 and 60 minutes ago.
    const window = ['--from', '2h']
    const start = (...args: string[]) =>
      spawn(node, [BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    async function auditctl(...args: string[]): Promise<Result> {
      const child = start(...args)
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close') as Promise<[number | null]>,
      ])
      return { code, stdout, stderr }
    }

    const sandbox = start('sandbox', '--events', '3000', '--recent', '--drop', '63m/61m', '-o', 'json')
    before(async () => {
      const [line] = (await once(sandbox.stdout, 'data')) as [Buffer]
      const { config } = JSON.parse(line.toString()) as { config: object }
      writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
    })
    after(async () => {
      const closed = once(sandbox, 'close')
      sandbox.kill('SIGTERM')
      await closed
      rmSync(folder, { recursive: true, force: true })
    })

    test('prints help and version, and nothing on stderr', async () => {
      const help = await auditctl('--help')
      assert.deepEqual([help.code, help.stderr], [0, ''])
      assert.match(help.stdout, /Usage: auditctl/)
      const version = await auditctl('--version')
      assert.deepEqual([version.code, version.stderr], [0, ''])
      assert.match(version.stdout, new RegExp(`^auditctl \\d+\\.\\d+\\.\\d+ \\(\\w+\\) on Node v${major}\\.`))
    })

    test('reads events', async () => {
      const { code, stdout, stderr } = await auditctl('query', ...window, '-n', '20')
      assert.equal(code, 0, stderr)
      const ids = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id)
      assert.equal(new Set(ids).size, 20)
    })

    test('finds the outage, refills it, proves it, and keeps its ledger without a warning of Node', async () => {
      const gaps = await auditctl('gaps', '--stream', 'soc', ...window, '-o', 'json')
      assert.equal(gaps.code, 3, gaps.stderr)
      const { missing, sourceEvents } = JSON.parse(gaps.stdout) as { missing: number; sourceEvents: number }
      assert.ok(missing > 100 && missing < sourceEvents, `${missing} of ${sourceEvents}`)
      const backfill = await auditctl(...['backfill', '--stream', 'soc', ...window, '--verify', '-o', 'json'])
      assert.equal(backfill.code, 0, backfill.stderr)
      const report = JSON.parse(backfill.stdout) as { delivered: number; verified: boolean }
      assert.deepEqual([report.delivered, report.verified], [missing, true])
      assert.doesNotMatch(backfill.stderr, /Warning|experimental/i)
      assert.equal((await auditctl('gaps', '--stream', 'soc', ...window)).code, 0)
    })

    test('exports the same events as lines and as CSV', async () => {
      const lines = await auditctl(
        'export',
        ...window,
        '--format',
        'jsonl',
        '--out',
        join(folder, 'out.jsonl'),
      )
      assert.equal(lines.code, 0, lines.stderr)
      const csv = await auditctl('export', ...window, '--format', 'csv')
      assert.equal(csv.code, 0, csv.stderr)
      assert.match(csv.stdout, /^id,/)
    })
  })
}
