import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { generatedEntries } from '../../../src/sandbox/scaivault/entries.ts'
import { firstLine, stop } from './sandbox.ts'

export type NativeSource = {
  readonly url: string
  readonly window: readonly string[]
  close(): Promise<void>
}

const FROM = Date.UTC(2026, 9, 1)
const BLOCK = 1 << 20

/**
 * ScaiVault's query API with that many entries, oldest first, in a process of its own: events that any stream takes as they are. A strict one,
 * with limits and cursors that expire, would only slow down what is measured.
 */
export async function startNativeSource(events: number): Promise<NativeSource> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(import.meta.url), `${events}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { url, to } = JSON.parse(await firstLine(child)) as { url: string; to: string }
  return { url, window: ['--from', new Date(FROM).toISOString(), '--to', to], close: () => stop(child) }
}

/** Makes the events about as long as they are elsewhere: 750 bytes. */
function detailsOf(n: number): object {
  return {
    version: n % 90,
    policy: 'payments-readers',
    reason: 'read by the "ü" deployment of payments',
    client: { host: `worker-${n % 64}.eu-west-1.internal`, pid: 1000 + (n % 30_000), attempt: 1 },
    labels: ['team:payments', 'tier:gold', 'region:eu-west-1'],
    lease: { id: `lease_${1_000_000 + n}`, ttl_seconds: 3600, renewable: true },
    chain: ['role/payments-deployer', 'group/platform-engineering', 'policy/payments-readers'],
  }
}

function entriesOf(count: number) {
  const set = generatedEntries({ size: count, seed: 1, fromUs: FROM * 1000, ties: 0, jitterUs: 0 })
  const textOf = (n: number): string =>
    JSON.stringify({ ...set.entry(n), session_id: `sess_${n}`, http_method: 'GET', extra_data: detailsOf(n) })
  return { set, textOf, to: new Date(Math.ceil(set.timeUs(count) / 1000) + 1).toISOString() }
}

/** The same entries as JSON Lines; gives the flags of the window they lie in. */
export function writeNativeEvents(path: string, count: number): readonly string[] {
  const { textOf, to } = entriesOf(count)
  const file = openSync(path, 'w')
  let block = ''
  for (let n = 1; n <= count; n += 1) {
    block += `${textOf(n)}\n`
    if (block.length < BLOCK && n < count) continue
    writeSync(file, block)
    block = ''
  }
  closeSync(file)
  return ['--from', new Date(FROM).toISOString(), '--to', to]
}

function serve(count: number): void {
  const { set, textOf, to } = entriesOf(count)
  /** The first entry that is not before that time. */
  const firstAt = (timeUs: number): number => {
    let [low, high] = [1, count + 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (set.timeUs(middle) < timeUs) low = middle + 1
      else high = middle
    }
    return low
  }
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const micros = (name: string): number => Date.parse(searchParams.get(name) ?? '') * 1000
    const end = firstAt(micros('to'))
    const from = Number(searchParams.get('cursor') ?? firstAt(micros('from')))
    const behind = Math.min(end, from + Number(searchParams.get('limit') ?? 1000))
    const texts: string[] = []
    for (let n = from; n < behind; n += 1) texts.push(textOf(n))
    const cursor = behind < end ? `"${behind}"` : 'null'
    response
      .setHeader('content-type', 'application/json')
      .end(`{"logs":[${texts.join(',')}],"cursor":${cursor},"has_more":${behind < end}}`)
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${address.port}`, to })}\n`)
  })
  process.on('SIGTERM', () => process.exit(0))
}

if (import.meta.main) serve(Number(process.argv[2]))
