/**
 * Against syslog-ng's http() with its reliable disk buffer, where it is installed (Debian: syslog-ng-core and syslog-ng-mod-http): the same
 * events from a file, in batches of the same limits, to the same receiver. `npm run bench syslog-ng [-- --events=500000 --rounds=3]`
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compare, costOf } from './support/compare.ts'
import { writeNativeEvents } from './support/native-source.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, type Cost, run } from './support/run.ts'

const events = numberFlag('events', 500_000)
const rounds = numberFlag('rounds', 3)
const [MAX_EVENTS, MAX_BYTES] = [400, 700_000]
/** Clock ticks a second, in which Linux counts the CPU of a process. */
const TICKS = 100
const MAX_WAIT_MS = 300_000

function isInstalled(): boolean {
  try {
    return execFileSync('syslog-ng', ['--version'], { encoding: 'utf8' }).includes('http')
  } catch {
    return false
  }
}

/** Every reading of the file begins anew: without the state of the one before, which also says how far it came. */
function settingsOf(folder: string, path: string, url: string): string {
  return `@version: 3.38
options { stats-freq(0); log-msg-size(262144); };
source s { file("${path}" flags(no-parse) follow-freq(1) log-fetch-limit(1000) log-iw-size(20000)); };
destination d { http(url("${url}") method("POST") workers(4) batch-lines(${MAX_EVENTS}) batch-bytes(${MAX_BYTES}) batch-timeout(1000)
  headers("Content-Type: application/json") body-prefix("[") delimiter(",") body-suffix("]") body("\${MESSAGE}")
  disk-buffer(reliable(yes) disk-buf-size(4000000000) mem-buf-size(163840000) dir("${folder}"))); };
log { source(s); destination(d); flags(flow-control); };
`
}

/** From its start until the last event has arrived; it never ends by itself. */
async function runSyslogNg(folder: string, path: string, receiver: Receiver): Promise<Cost> {
  mkdirSync(folder, { recursive: true })
  const file = (name: string): string => join(folder, name)
  writeFileSync(file('conf'), settingsOf(folder, path, `${receiver.url}/in`))
  const places = ['-f', file('conf'), '-R', file('persist'), '-p', file('pid'), '-c', file('ctl')]
  const started = performance.now()
  const child = spawn('syslog-ng', ['-F', '--no-caps', ...places], { stdio: ['ignore', 'ignore', 'inherit'] })
  const closed = once(child, 'close')
  try {
    for (let arrived = 0; arrived < events; ) {
      if (performance.now() - started > MAX_WAIT_MS || child.exitCode !== null)
        throw new Error(`syslog-ng ended, or delivered only ${arrived} of ${events} events`)
      await sleep(50)
      arrived += await arrivedAt(receiver)
    }
    const wallSeconds = (performance.now() - started) / 1000
    const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return { cpuSeconds: (Number(user) + Number(system)) / TICKS, wallSeconds, stderr: '' }
  } finally {
    child.kill('SIGTERM')
    await closed
    rmSync(folder, { recursive: true, force: true })
  }
}

async function arrivedAt(receiver: Receiver): Promise<number> {
  return (await receiver.take()).bodies.reduce((total, body) => total + body.events, 0)
}

if (!isInstalled()) print('  skipped: syslog-ng with http() is not installed')
else {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
  const receiver = await startReceiver({ mark: '"request_id":' })
  try {
    const path = join(folder, 'events.jsonl')
    const window = writeNativeEvents(path, events)
    const env = { AUDITCTL_CONFIG: join(folder, 'config.json'), AUDITCTL_STATE_DIR: join(folder, 'state') }
    const batch = { maxEvents: MAX_EVENTS, maxBytes: MAX_BYTES }
    const config = {
      version: 1,
      sources: { old: { type: 'file', path, of: 'scaivault' } },
      streams: { hook: { provider: 'custom', url: `${receiver.url}/in`, batch } },
    }
    writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
    const medians = await compare(
      [
        {
          name: 'auditctl backfill --all',
          run: async () => {
            const words = ['backfill', '--stream', 'hook', ...window, '--all', '--new', '--yes', '-q']
            const cost = await run(auditctl(...words), { env, isFresh: true })
            assert.equal(await arrivedAt(receiver), events, 'every event arrived once')
            return cost
          },
        },
        {
          name: 'syslog-ng http(), reliable',
          run: (round) => runSyslogNg(join(folder, `syslog-ng-${round}`), path, receiver),
        },
      ],
      rounds,
    )
    print(`  ${events} events, ${rounds} rounds, medians`)
    printCosts(medians, events)
    const [own, other] = ['auditctl backfill --all', 'syslog-ng http(), reliable'].map(
      (name) => (costOf(medians, name).cpuSeconds * 1e6) / events,
    )
    verdict('CPU seconds a million events', own ?? Number.NaN, { atMost: other ?? 0 })
  } finally {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
