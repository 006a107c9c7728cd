/**
 * `gaps` of the built program against a JSONL file of ids, from start to end: what a person waits for, with the reading of the file, its decoding,
 * the table of ids, the program's start and a source of a few events. `npm run bench gaps-file [-- --ids=5000000 --large=20000000 --rounds=3]`
 */
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, costOf } from './support/compare.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, PEAK_HOOK, run } from './support/run.ts'

const ids = numberFlag('ids', 5_000_000)
/** Too many for memory: their table is, and they themselves lie on disk. 0 leaves it out. */
const large = numberFlag('large', 0)
const rounds = numberFlag('rounds', 3)
const MAX_BYTES = 350e6

const FROM = Date.UTC(2026, 10, 1)
const TO = Date.UTC(2026, 10, 8)
/** The source tells one event in so many, and the file lacks one of those in ten. */
const TOLD_EVERY = 100
const BLOCK = 1 << 20

/** A version 4 UUID of the number, the same each time. */
function idOf(n: number): string {
  const [a, b, c, d] = [mix(n), mix(n + 1e8), mix(n + 2e8), mix(n + 3e8)]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${d}`
}

function mix(n: number): string {
  let v = Math.imul(n ^ (n >>> 16), 0x21f0aaad)
  v = Math.imul(v ^ (v >>> 15), 0x735a2d97)
  return ((v ^ (v >>> 15)) >>> 0).toString(16).padStart(8, '0')
}

const isLost = (n: number): boolean => n % (TOLD_EVERY * 10) === 0

/** What makes a line an event of the source. */
const REST =
  '"actor":{"type":"user","metadata":{}},"event":{"type":"get-secrets","metadata":{}},"ipAddress":"198.51.100.1"'

function write(
  path: string,
  {
    count,
    every,
    rest = '',
    isWanted,
  }: { count: number; every: number; rest?: string; isWanted: (n: number) => boolean },
): void {
  const file = openSync(path, 'w')
  let block = ''
  for (let n = 0; n < count; n += every) {
    if (!isWanted(n)) continue
    const createdAt = new Date(FROM + Math.floor((n * (TO - FROM)) / count)).toISOString()
    block += `{"id":"${idOf(n)}","createdAt":"${createdAt}"${rest === '' ? '' : `,${rest}`}}\n`
    if (block.length < BLOCK) continue
    writeSync(file, block)
    block = ''
  }
  writeSync(file, block)
  closeSync(file)
}

async function measure(count: number, times: number): Promise<{ cpuSeconds: number; peakBytes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
  try {
    const [held, told, config, peak, out] = ['held.jsonl', 'told.jsonl', 'config.json', 'peak', 'out'].map(
      (name) => join(folder, name),
    ) as [string, string, string, string, string]
    write(held, { count, every: 1, isWanted: (n) => !isLost(n) })
    write(told, { count, every: TOLD_EVERY, rest: REST, isWanted: () => true })
    const stream = {
      provider: 'splunk',
      url: 'http://127.0.0.1:9',
      token: 'bench-credential-0123',
      index: 'audit',
    }
    writeFileSync(
      config,
      JSON.stringify({
        version: 1,
        sources: { file: { type: 'file', path: told } },
        streams: { soc: stream },
      }),
      { mode: 0o600 },
    )
    const window = [new Date(FROM).toISOString(), new Date(TO).toISOString()] as const
    const command = auditctl(
      ...['gaps', '--source', 'file', '--stream', 'soc', '--from', window[0], '--to', window[1]],
      ...['--inventory', held, '--inventory-window', window.join('/'), '-o', 'json', '-q'],
    )
    const env = {
      AUDITCTL_CONFIG: config,
      AUDITCTL_STATE_DIR: join(folder, 'state'),
      NODE_OPTIONS: `--import=${PEAK_HOOK}`,
      BENCH_PEAK_FILE: peak,
    }
    const name = `gaps --inventory, ${count} ids`
    const variant = { name, run: () => run(command, { env, out, codes: [3] }) }
    const medians = await compare([variant], times)
    const { missing } = JSON.parse(readFileSync(out, 'utf8')) as { missing: number }
    assert.equal(missing, Math.ceil(count / (TOLD_EVERY * 10)), 'another number of losses was found')
    printCosts(medians, count)
    const peakBytes = Number(readFileSync(peak, 'utf8')) * 1024
    print(`  ${(peakBytes / 1e6).toFixed(0)} MB at most`)
    return { cpuSeconds: costOf(medians, name).cpuSeconds, peakBytes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { cpuSeconds, peakBytes } = await measure(ids, rounds)
verdict('million ids a CPU second', ids / cpuSeconds / 1e6, { atLeast: 1 })
verdict('MB at most', peakBytes / 1e6, { atMost: MAX_BYTES / 1e6 })
if (large > 0)
  verdict(`MB at most with ${large} ids`, (await measure(large, 1)).peakBytes / 1e6, {
    atMost: MAX_BYTES / 1e6,
  })
