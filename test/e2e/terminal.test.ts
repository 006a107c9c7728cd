import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const BIN = join(import.meta.dirname, '../../bin/auditctl.js')
const hasScript = spawnSync('script', ['--version']).error === undefined
const skip = hasScript ? false : 'script (util-linux) is not installed'

describe('on a terminal', { skip }, () => {
  let sandbox: SandboxProcess
  before(async () => {
    sandbox = await startSandboxProcess(['--events', '400', '--recent', '--seed', '3'])
  })
  after(() => sandbox.stop())

  /** Runs a shell line on a pseudo-terminal; what it shows. stderr goes to the file `err`, unless `both`. */
  async function onTerminal(line: string, options: { columns?: number; env?: Record<string, string> } = {}) {
    const command = `stty cols ${options.columns ?? 120} rows 24; ${line}`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: sandbox.folder,
      env: {
        ...sandbox.env,
        PATH: process.env['PATH'],
        TERM: 'xterm-256color',
        SHELL: '/bin/sh',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [shown, [code]] = await Promise.all([
      text(child.stdout),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { code, shown }
  }
  const auditctl = (args: string): string => `"${process.execPath}" "${BIN}" ${args}`
  const plain = (shown: string): string => shown.replace(/\u001b\[[0-9;]*m/g, '')

  test('query shows a table of 50 that fits the width, in colour, and says that there are more', async () => {
    for (const columns of [80, 200]) {
      const { code, shown } = await onTerminal(auditctl('query --from 3h 2>err'), { columns })
      assert.equal(code, 0)
      const lines = plain(shown).split('\r\n').slice(0, -1)
      assert.equal(lines.length, 51)
      assert.match(lines[0] ?? '', /^createdAt +event\.type/)
      assert.ok(lines.every((line) => line.length <= columns))
      assert.match(shown, /\u001b\[3\dm/)
      const told = readFileSync(join(sandbox.folder, 'err'), 'utf8')
      assert.match(told, /there are more events than the 50 shown\nnext: auditctl query --cursor/)
    }
  })

  test('50 is for every format there, and -n says otherwise', async () => {
    const lines = await onTerminal(auditctl('query --from 3h -o jsonl 2>err'))
    assert.equal(idsOf(lines.shown.replaceAll('\r', '')).length, 50)
    const more = await onTerminal(auditctl('query --from 3h -o jsonl -n 60 2>err'))
    assert.equal(idsOf(more.shown.replaceAll('\r', '')).length, 60)
    const piped = await onTerminal(`${auditctl('query --from 3h 2>err')} | wc -l`)
    assert.ok(Number(piped.shown.trim()) >= 400)
  })

  test('no colour with --no-color, NO_COLOR or TERM=dumb', async () => {
    for (const [args, env] of [
      ['--no-color', {}],
      ['', { NO_COLOR: '1' }],
      ['', { TERM: 'dumb' }],
      ['', { AUDITCTL_NO_COLOR: '1' }],
    ] as const) {
      const { shown } = await onTerminal(auditctl(`query --from 3h -n 3 ${args} 2>err`), { env })
      assert.ok(!shown.includes('\u001b'), JSON.stringify({ args, env }))
    }
  })

  test('events cannot move the cursor or turn the text, in any format; in a pipe they are as they came', async () => {
    const createdAt = new Date(Date.now() - 600_000).toISOString()
    const event = {
      ...{ id: 'hostile', createdAt, updatedAt: createdAt, expiresAt: null, orgId: 'o', projectId: null },
      ...{ ipAddress: '1.2.3.4', userAgent: '\u009b2J\u202eabc', userAgentType: 'cli', projectName: null },
      event: { type: 'hostile\u001b[2J', metadata: {} },
      actor: { type: 'user', metadata: { email: 'a\u2066b' } },
    }
    await sandbox.admin('events', { events: [event] })
    const query = `query --from 3h --where id=hostile --no-color`
    for (const format of ['table', 'csv', 'jsonl', 'json']) {
      const { shown } = await onTerminal(auditctl(`${query} -o ${format} 2>err`))
      assert.match(shown, /hostile/)
      assert.doesNotMatch(shown, /[\u001b\u009b\u202e\u2066]/, format)
    }
    const { shown } = await onTerminal(auditctl(`${query} -o jsonl 2>err`))
    assert.deepEqual(JSON.parse(shown), event)
    const piped = await sandbox.run(['query', '--from', '3h', '--where', 'id=hostile', '-o', 'csv'])
    assert.ok(piped.stdout.includes('hostile\u001b[2J') && piped.stdout.includes('\u009b2J\u202eabc'))
  })

  test('--time tells the same instants in another way', async () => {
    const relative = await onTerminal(auditctl('query --from 3h -n 2 --time relative 2>err'))
    assert.match(relative.shown, /\d+[hm][^\r]* ago /)
    const local = await onTerminal(auditctl('query --from 3h -n 2 --time local --tz Asia/Tokyo 2>err'))
    assert.match(plain(local.shown), /\r\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /)
  })

  test('export draws a bar on stderr, takes it away, and leaves one summary line', async () => {
    const { code, shown } = await onTerminal(
      auditctl('export --from 3h --format jsonl --out bar.jsonl --overwrite'),
    )
    assert.equal(code, 0)
    const left = plain(shown).split('\r\n').at(-2) ?? ''
    assert.match(left, /\d+ events written to \S+bar\.jsonl$/)
    const quiet = await onTerminal(auditctl('export --from 3h --format jsonl --out bar.jsonl --overwrite -q'))
    assert.equal(quiet.shown, '')
  })

  test('a backfill that was agreed to says at once that it delivers, and leaves its report', async () => {
    await sandbox.admin('faults', { faults: ['splunk:slow=1500'] })
    const command = `stty cols 120 rows 24; ${auditctl('backfill --stream soc --from 3h --all')}`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: sandbox.folder,
      env: { ...sandbox.env, PATH: process.env['PATH'], TERM: 'xterm-256color', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    try {
      let [shown, agreedAt, deliveringAt] = ['', Number.NaN, Number.NaN]
      for await (const chunk of child.stdout) {
        shown += String(chunk)
        if (Number.isNaN(agreedAt) && /Send [\d,]+ events to soc\? \[y\/N\] /.test(shown)) {
          agreedAt = shown.length
          // Time enough for a bar that draws by itself.
          setTimeout(() => {
            agreedAt = shown.length
            child.stdin.write('y\n')
          }, 500)
        }
        if (Number.isNaN(deliveringAt) && /delivering: 0 of [\d,]+ events/.test(shown))
          deliveringAt = shown.length
      }
      assert.deepEqual(await ended, [0, null])
      const asked = shown.slice(shown.indexOf('[y/N] '), agreedAt)
      assert.ok(!asked.includes('scanning'), 'the bar draws nothing over the question')
      assert.ok(deliveringAt > agreedAt, plain(shown))
      assert.match(plain(shown), /delivered +\d+ in \d+ requests?/)
    } finally {
      child.stdin.end()
      await sandbox.admin('faults', { clear: true })
    }
  })

  test('compressed data is not written to it', async () => {
    const { code, shown } = await onTerminal(auditctl('export --from 3h --format jsonl --compress gzip'))
    assert.equal(code, 2)
    assert.match(shown, /not for a terminal/)
  })

  test('summary draws bars, status a table', async () => {
    const summary = await onTerminal(auditctl('summary --from 3h 2>err'), { columns: 80 })
    const lines = plain(summary.shown).split('\r\n').slice(0, -1)
    assert.match(lines[0] ?? '', /^\S+ +\d+ +#+$/)
    assert.ok(lines.every((line) => line.length <= 80))
    const status = await onTerminal(auditctl('status 2>err'))
    assert.match(status.shown, /^stream +source +state +lag/)
  })

  test('without a width that is known, 80 columns are taken', async () => {
    const { code, shown } = await onTerminal(auditctl('query --from 3h -n 2 2>err'), { columns: 0 })
    assert.equal(code, 0)
    assert.ok(
      plain(shown)
        .split('\r\n')
        .every((line) => line.length <= 80),
    )
    assert.ok(existsSync(join(sandbox.folder, 'err')))
  })
})
