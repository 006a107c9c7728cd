import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { firstLine, stop } from './sandbox.ts'

/** What arrived, counted where it arrived. */
export type Arrivals = {
  /** `bytes` of the unpacked body; `packed`: it came as gzip. */
  readonly bodies: readonly { readonly events: number; readonly bytes: number; readonly packed: boolean }[]
}
export type Receiver = { readonly url: string; take(): Promise<Arrivals>; close(): Promise<void> }

/**
 * A HEC that says yes and counts, in a process of its own: a strict one would cost more than what is measured. `mark`: what stands once in
 * every event and nowhere else; the default is that of HEC's envelope. `delayMs`: every answer comes so late.
 */
export async function startReceiver({
  mark = '"event":{',
  delayMs = 0,
}: {
  readonly mark?: string
  readonly delayMs?: number
} = {}): Promise<Receiver> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(import.meta.url), mark, `${delayMs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = (await firstLine(child)).trim()
  return {
    url,
    take: async () => (await (await fetch(`${url}/take`)).json()) as Arrivals,
    close: () => stop(child),
  }
}

/** The events of the sandbox hold no `"event":{` of their own once they are in the streamed shape. */
function eventsIn(body: Buffer, mark: Buffer): number {
  let events = 0
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) events += 1
  return events
}

function serve([text = '', delayMs = '0']: readonly string[]): void {
  const mark = Buffer.from(text)
  let bodies: { events: number; bytes: number; packed: boolean }[] = []
  const server = createServer((request, response) => {
    if (request.url === '/take') {
      response.end(JSON.stringify({ bodies }))
      bodies = []
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const sent = Buffer.concat(chunks)
      const packed = request.headers['content-encoding'] === 'gzip'
      const body = packed ? gunzipSync(sent) : sent
      if (request.method === 'POST') bodies.push({ events: eventsIn(body, mark), bytes: body.length, packed })
      const answer = (): void => {
        response.setHeader('content-type', 'application/json').end('{"text":"Success","code":0}')
      }
      if (delayMs === '0') answer()
      else setTimeout(answer, Number(delayMs))
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    process.stdout.write(`http://127.0.0.1:${address.port}\n`)
  })
  process.on('SIGTERM', () => process.exit(0))
}

if (import.meta.main) serve(process.argv.slice(2))
