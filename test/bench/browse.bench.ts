/**
 * The browser on a pseudo-terminal: CPU of the first screen against `node -e 0`, memory over a million events, CPU of a key.
 * `npm run bench browse [-- --rounds=15 --events=1000000 --keys=300]`; `--events=0` leaves the second part out.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from './support/compare.ts'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl, PEAK_HOOK } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'
import { openTerminal } from './support/terminal.ts'

const rounds = numberFlag('rounds', 15)
const events = numberFlag('events', 1_000_000)
const presses = numberFlag('keys', 300)
const MAX_MIB = 250
const MAX_KEY_MS = 16

await firstScreen()
if (events > 0) await manyEvents()

/** A source that takes its time: what is measured is ours, from the start to the first screen and out again. */
async function firstScreen(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = join(folder, 'config.json')
  const auth = { method: 'universal-auth', clientId: 'a', clientSecret: 'b' }
  writeFileSync(config, JSON.stringify({ version: 1, sources: { prod: { type: 'infisical', url, auth } } }), {
    mode: 0o600,
  })
  const env = {
    AUDITCTL_CONFIG: config,
    AUDITCTL_STATE_DIR: join(folder, 'state'),
    NODE_COMPILE_CACHE: join(folder, 'cache'),
  }
  const variants = {
    'node -e 0': () => openTerminal([process.execPath, '-e', '0'], { env }).ended(),
    'auditctl browse, first screen': async () => {
      const terminal = openTerminal(auditctl('browse', '--from', '1h'), { env })
      await terminal.shows(/q quit/)
      terminal.kill()
      return terminal.ended()
    },
    // What opens the source while the screen stands, and leaving it, come on top.
    'auditctl browse, and out with q': async () => {
      const terminal = openTerminal(auditctl('browse', '--from', '1h'), { env })
      await terminal.shows(/q quit/)
      terminal.keys('q')
      return terminal.ended()
    },
  }
  const all = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
  try {
    for (let round = -2; round < rounds; round += 1) {
      for (const [name, measure] of Object.entries(variants)) {
        const seconds = await measure()
        if (round >= 0) all.get(name)?.push(seconds)
      }
    }
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const ms = (name: string): number => 1000 * median(all.get(name) ?? [])
  for (const name of all.keys()) print(`  ${name.padEnd(34)} ${ms(name).toFixed(0).padStart(7)} ms of CPU`)
  verdict('of node -e 0, first screen', ms('auditctl browse, first screen') / ms('node -e 0'), {
    atMost: 8.5,
  })
}

async function manyEvents(): Promise<void> {
  await withSandbox(events, [], async ({ folder, env, window }) => {
    const peak = join(folder, 'peak')
    const terminal = openTerminal(auditctl('browse', ...window), {
      env: { ...env, NODE_OPTIONS: `--import=${PEAK_HOOK}`, BENCH_PEAK_FILE: peak },
      columns: 200,
      rows: 50,
    })
    // Every one of them is read for the bars above the list.
    await terminal.shows(new RegExp(`${events.toLocaleString('en-US')} events`), 300_000)
    // To both ends, and over so many screens from each that the list drops its far end.
    for (const [end, turn] of [
      ['G', '\u001b[5~'],
      ['g', '\u001b[6~'],
    ] as const) {
      terminal.keys(end)
      await quiet(terminal)
      for (let n = 0; n < presses; n += 1) {
        terminal.keys(turn)
        await drawn(terminal)
      }
    }
    await quiet(terminal)
    const before = terminal.cpuSeconds()
    for (let n = 0; n < presses; n += 1) {
      terminal.keys('k')
      await drawn(terminal)
    }
    const keyMs = (1000 * (terminal.cpuSeconds() - before)) / presses
    terminal.keys('q')
    await terminal.ended()
    const mib = Number(readFileSync(peak, 'utf8')) / 1024
    print(`  ${events.toLocaleString('en-US')} events passed through, ${4 * presses} keys`)
    verdict('MiB at most', mib, { atMost: MAX_MIB })
    verdict('ms of CPU a key, drawn', keyMs, { atMost: MAX_KEY_MS })
  })
}

/** Until the key has changed the screen; one that has nothing to change is given up on. */
async function drawn(terminal: ReturnType<typeof openTerminal>): Promise<void> {
  const before = terminal.written()
  for (let waited = 0; waited < 200 && terminal.written() === before; waited += 1) await pause(1)
}

/** Until nothing has been drawn for a while. */
async function quiet(terminal: ReturnType<typeof openTerminal>): Promise<void> {
  for (let before = -1; before !== terminal.written(); ) {
    before = terminal.written()
    await pause(500)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
