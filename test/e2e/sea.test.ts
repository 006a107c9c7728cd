import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

const BUILT = join(import.meta.dirname, '../../sea/auditctl')
const skip = existsSync(BUILT) ? false : 'npm run build:sea makes it'
const skipTerminal = spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed'

type Result = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

describe('the single executable', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-sea-'))
  const program = join(folder, 'auditctl')
  // No PATH: neither Node nor anything else but the one file.
  const env = {
    HOME: folder,
    AUDITCTL_CONFIG: join(folder, 'config.json'),
    AUDITCTL_STATE_DIR: join(folder, 'state'),
  }
  const start = (...args: string[]) =>
    spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  async function auditctl(...args: string[]): Promise<Result> {
    const child = start(...args)
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { code, stdout, stderr }
  }

  let stop = async (): Promise<void> => {}
  before(async () => {
    cpSync(BUILT, program)
    const sandbox = start('sandbox', '--events', '3000', '--recent', '--drop', '63m/61m', '-o', 'json')
    stop = async () => {
      const closed = once(sandbox, 'close')
      sandbox.kill('SIGTERM')
      await closed
    }
    const [line] = (await once(sandbox.stdout, 'data')) as [Buffer]
    const { config } = JSON.parse(line.toString()) as { config: object }
    writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
  })
  after(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('says its version, commit and Node, once and without a warning', async () => {
    const { code, stdout, stderr } = await auditctl('--version')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^auditctl \d+\.\d+\.\d+ \(\w+\) on Node v24\.\S+\n$/)
  })

  test('reads events, finds the outage and refills it', async () => {
    const window = ['--from', '2h']
    const query = await auditctl('query', ...window, '-n', '20')
    assert.equal(query.code, 0, query.stderr)
    assert.doesNotMatch(query.stderr, /Warning|experimental/i)
    assert.equal(query.stdout.trim().split('\n').length, 20)
    assert.equal((await auditctl('gaps', '--stream', 'soc', ...window)).code, 3)
    const backfill = await auditctl('backfill', '--stream', 'soc', ...window, '--verify', '-o', 'json')
    assert.equal(backfill.code, 0, backfill.stderr)
    assert.equal((await auditctl('gaps', '--stream', 'soc', ...window)).code, 0)
  })

  test('draws the browser, whose packages wait at their top level', { skip: skipTerminal }, async () => {
    const tmux = (...words: readonly string[]): string =>
      spawnSync('tmux', ['-S', join(folder, 'tmux'), ...words], {
        env: { ...env, LANG: 'C.UTF-8' },
        encoding: 'utf8',
      }).stdout
    try {
      tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', `${program} browse --from 2h`)
      let screen = ''
      for (let tries = 0; tries < 100 && !/\d{2}:\d{2}:\d{2}/.test(screen); tries += 1) {
        await pause(100)
        screen = tmux('capture-pane', '-p')
      }
      assert.match(screen, /\d{2}:\d{2}:\d{2}/, 'events are on the screen')
    } finally {
      tmux('kill-server')
    }
  })

  test('starts itself for the demo', async () => {
    const { code, stdout, stderr } = await auditctl('demo')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /0 of them twice; 0 violations/)
  })
})
