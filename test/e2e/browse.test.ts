import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { JsonObject } from '../../src/core/event.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'

// The built program on a real terminal, which tmux lends it.
const PROGRAM = join(import.meta.dirname, '../../bin/auditctl.js')
const MINUTE = 60_000
const hasTmux = spawnSync('tmux', ['-V']).status === 0
const options = { skip: hasTmux ? false : 'tmux is not installed', timeout: 60_000 }

const folder = mkdtempSync(join(tmpdir(), 'auditctl-browse-'))
const socket = join(folder, 'tmux')
let sandbox: StartedSandbox | undefined
const config = join(folder, 'config.json')
/** The stream of the sandbox was down in here. */
const drop = { from: 0, to: 0 }

before(async () => {
  if (!hasTmux) return
  const now = Date.now()
  drop.from = now - 34 * MINUTE
  drop.to = now - 32 * MINUTE
  sandbox = await startSandbox({
    seed: 1,
    generation: '2026',
    recent: true,
    drop,
    faults: faultPlan(),
    now: () => Date.now(),
    services: ['splunk'],
  })
  const streams = Object.entries((sandbox.config['streams'] ?? {}) as Record<string, JsonObject>)
  const quick = streams.map(([name, stream]) => [name, { ...stream, grace: '5s' }])
  writeFileSync(config, JSON.stringify({ ...sandbox.config, streams: Object.fromEntries(quick) }), {
    mode: 0o600,
  })
})

after(async () => {
  spawnSync('tmux', ['-S', socket, 'kill-server'])
  await sandbox?.close()
  rmSync(folder, { recursive: true, force: true })
})

const tmux = (...words: readonly string[]): string =>
  execFileSync('tmux', ['-S', socket, ...words], { encoding: 'utf8' })
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Two of them share a ledger. */
const STATE = { AUDITCTL_STATE_DIR: join(folder, 'shared') }

/** A terminal in which a shell runs the browser and then says how it ended. */
function openTerminal(name: string, env: Readonly<Record<string, string>> = {}, columns = 80, rows = 24) {
  const script = join(folder, `${name}.sh`)
  const lines = [
    ...settingsOf(name, env).map((setting) => `export ${setting}`),
    'echo what stood here before',
    commandOf(name),
    'echo "ended with $?"',
    'sleep 60',
  ]
  writeFileSync(script, lines.join('\n'))
  tmux('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), `sh '${script}'`)
  return terminalOf(name)
}

/** The same typed into a shell with jobs, as a person does. */
function openShell(name: string) {
  const shell = `env ${settingsOf(name).join(' ')} PS1='shell> ' bash --norc --noprofile`
  tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '24', shell)
  const terminal = terminalOf(name)
  terminal.keys('echo what stood here before', 'Enter', commandOf(name), 'Enter')
  return terminal
}

function settingsOf(name: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  const given = { AUDITCTL_CONFIG: config, AUDITCTL_STATE_DIR: join(folder, name), LANG: 'C.UTF-8', ...env }
  return Object.entries(given).map(([key, value]) => `${key}='${value}'`)
}

/** In the foreground, so that the terminal is the program's; the shell that becomes it has written down who it is. */
function commandOf(name: string): string {
  const pid = join(folder, `${name}.pid`)
  return `sh -c 'echo $$ > "${pid}"; exec "${process.execPath}" "${PROGRAM}" browse --from 2h'`
}

function terminalOf(name: string) {
  const pid = join(folder, `${name}.pid`)
  const screen = (): string => tmux('capture-pane', '-p', '-t', name)
  return {
    screen,
    keys: (...keys: readonly string[]): string => tmux('send-keys', '-t', name, ...keys),
    resize: (width: number, height: number): string =>
      tmux('resize-window', '-t', name, '-x', String(width), '-y', String(height)),
    kill: (signal: NodeJS.Signals): void => void process.kill(Number(readFileSync(pid, 'utf8')), signal),
    /** Other screen, cursor shown, lines wrap. */
    modes: (): string =>
      tmux('display', '-p', '-t', name, '#{alternate_on},#{cursor_flag},#{wrap_flag}').trim(),
    async shows(pattern: RegExp): Promise<string> {
      const until = Date.now() + 20_000
      for (;;) {
        const text = screen()
        if (pattern.test(text)) return text
        if (Date.now() > until) assert.fail(`the screen never showed ${pattern}:\n${text}`)
        await pause(50)
      }
    },
  }
}

test(
  'the browser opens on the other screen, follows a resize, and leaves the terminal as it was',
  options,
  async () => {
    const terminal = openTerminal('quit')
    await terminal.shows(/4,4\d\d events[\s\S]*create-secret/)
    assert.equal(terminal.modes(), '1,0,0')
    for (const [width, height] of [
      [20, 10],
      [200, 50],
      [41, 7],
      [80, 24],
    ] as const)
      terminal.resize(width, height)
    terminal.keys('j', 'Enter')
    await terminal.shows(/native, as the source gave it/)
    terminal.keys('Escape')
    await terminal.shows(/^ {2}time +action/m)
    terminal.keys('?')
    await terminal.shows(/filter; Tab completes/)
    terminal.keys('Escape')
    await terminal.shows(/^ {2}time +action/m)
    terminal.keys('q')
    const text = await terminal.shows(/ended with 0/)
    assert.match(text, /what stood here before/)
    assert.equal(terminal.modes(), '0,1,1')
  },
)

test('the terminal is as it was also after a signal, Ctrl-C and a crash', options, async () => {
  const crash = join(folder, 'crash.mjs')
  writeFileSync(crash, `process.on('SIGUSR2', () => { throw new Error('made to crash') })`)
  const endings = [
    ['hup', {}, 'SIGHUP', 143, /stopped by SIGHUP/],
    ['term', {}, 'SIGTERM', 143, /stopped by SIGTERM/],
    ['interrupt', {}, 'C-c', 130, /interrupted/],
    ['crash', { NODE_OPTIONS: `--import ${crash}` }, 'SIGUSR2', 1, /made to crash/],
  ] as const
  for (const [name, env, how, code, words] of endings) {
    const terminal = openTerminal(name, env)
    await terminal.shows(/4,4\d\d events/)
    if (how === 'C-c') terminal.keys(how)
    else terminal.kill(how)
    const text = await terminal.shows(new RegExp(`ended with ${code}`))
    assert.match(text, /what stood here before/, name)
    assert.match(text, words, name)
    assert.equal(terminal.modes(), '0,1,1', name)
  }
})

test('a terminal that cannot be drawn on is refused politely', options, async () => {
  const terminal = openTerminal('dumb', { TERM: 'dumb' })
  const text = await terminal.shows(/ended with 2/)
  assert.match(text, /TERM is dumb/)
  assert.match(text, /auditctl query prints the same events/)
})

test('of two browsers at once one sends, and the other says who does', options, async () => {
  const receiver = sandbox?.services['splunk']
  const held = receiver?.receivedIds?.().length
  const [first, second] = [openTerminal('one', STATE), openTerminal('two', STATE)]
  for (const terminal of [first, second]) {
    await terminal.shows(/4,4\d\d events/)
    terminal.keys('c')
    await terminal.shows(/missing in 1 gap/)
  }
  first.keys('b')
  await first.shows(/Send [\d,]+ events to soc\?/)
  second.keys('b')
  await second.shows(/the pair infisical and soc is held by another run: browse \(process \d+/)
  second.keys('Escape')
  first.keys('n')
  await first.shows(/not confirmed; nothing was sent/)
  // It compares again by itself, and offers to fill once that is done.
  await second.shows(/b backfill all/)
  second.keys('b')
  await second.shows(/Send [\d,]+ events to soc\?/)
  second.keys('n')
  await second.shows(/not confirmed; nothing was sent/)
  assert.equal(receiver?.receivedIds?.().length, held)
  for (const terminal of [first, second]) {
    terminal.keys('q')
    await terminal.shows(/ended with 0/)
  }
})

test('a hole is found, filled after a yes, and proven, counted at the receiver', options, async () => {
  const receiver = sandbox?.services['splunk']
  const held = new Set(receiver?.receivedIds?.() ?? []).size
  const terminal = openTerminal('fill')
  await terminal.shows(/4,4\d\d events/)
  terminal.keys('c')
  const found = await terminal.shows(/missing in 1 gap/)
  const missing = Number(/([\d,]+) missing in 1 gap/.exec(found)?.[1]?.replaceAll(',', ''))
  assert.ok(missing > 0)
  terminal.keys('b')
  await terminal.shows(/Send [\d,]+ events to soc\?/)
  await pause(300)
  assert.equal(new Set(receiver?.receivedIds?.() ?? []).size, held, 'nothing is sent before the yes')
  terminal.keys('y')
  await terminal.shows(/each of [\d,]+ events was found in the SIEM/)
  await terminal.shows(/compared again, and nothing is missing/)
  const ids = receiver?.receivedIds?.() ?? []
  assert.equal(new Set(ids).size, held + missing)
  assert.equal(ids.length, new Set(ids).size, 'none twice')
  terminal.keys('Escape', 'q')
  await terminal.shows(/no holes|ended with 0/)
})

test('Ctrl-Z gives the shell its terminal back, and fg the browser where it was', options, async () => {
  const terminal = openShell('jobs')
  await terminal.shows(/4,4\d\d events/)
  terminal.keys('j', 'j', 'Enter')
  await terminal.shows(/native, as the source gave it/)
  const before = terminal.screen()
  for (const how of ['C-z', 'SIGTSTP'] as const) {
    if (how === 'C-z') terminal.keys(how)
    else terminal.kill(how)
    const shell = await terminal.shows(/Stopped[\s\S]*shell>$/m)
    assert.match(shell, /what stood here before/)
    assert.equal(terminal.modes(), '0,1,1', how)
    // The shell reads whole lines again and echoes what is typed.
    terminal.keys('stty -a | grep -c -- -icanon', 'Enter')
    await terminal.shows(/^0$/m)
    terminal.keys('clear; echo what stood here before; fg', 'Enter')
    await terminal.shows(/native, as the source gave it/)
    await pause(300)
    assert.equal(terminal.screen(), before, how)
    assert.equal(terminal.modes(), '1,0,0', how)
  }
  // Stopped without a word; what the terminal showed meanwhile is drawn over.
  terminal.kill('SIGSTOP')
  await pause(300)
  terminal.keys('fg', 'Enter')
  await terminal.shows(/native, as the source gave it/)
  terminal.keys('Escape')
  await terminal.shows(/^ {2}time +action/m)
  terminal.keys('q')
  await terminal.shows(/shell>$/m)
  terminal.keys('echo "ended with $?"', 'Enter')
  await terminal.shows(/^ended with 0$/m)
  assert.equal(terminal.modes(), '0,1,1')
})

test('Ctrl-Z where no shell could continue it draws the screen again at once', options, async () => {
  const terminal = openTerminal('orphan')
  await terminal.shows(/4,4\d\d events/)
  terminal.keys('C-z')
  await pause(500)
  await terminal.shows(/4,4\d\d events/)
  assert.equal(terminal.modes(), '1,0,0')
  terminal.keys('q')
  await terminal.shows(/ended with 0/)
})

test('a server that goes away while one browses is said, and what was read stays', options, async () => {
  const own = await startSandbox({
    ...{
      seed: 2,
      generation: '2026',
      recent: true,
      faults: faultPlan(),
      now: () => Date.now(),
      services: [],
    },
  } as Parameters<typeof startSandbox>[0])
  const settings = join(folder, 'away.json')
  writeFileSync(settings, JSON.stringify(own.config), { mode: 0o600 })
  const terminal = openTerminal('away', { AUDITCTL_CONFIG: settings })
  try {
    await terminal.shows(/4,4\d\d events/)
  } finally {
    await own.close()
  }
  terminal.keys('r')
  await terminal.shows(/trying again in/)
  terminal.keys('?')
  await terminal.shows(/filter; Tab completes/)
  terminal.keys('Escape', 'q')
  await terminal.shows(/ended with 0/)
  assert.equal(terminal.modes(), '0,1,1')
})
