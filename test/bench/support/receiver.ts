import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { firstLine, stop } from './sandbox.ts'

/** What arrived, counted where it arrived. */
export type Arrivals = {
  readonly bodies: readonly { readonly events: number; readonly bytes: number }[]
}
export type Receiver = { readonly url: string; take(): Promise<Arrivals>; close(): Promise<void> }

/** A HEC that says yes and counts, in a process of its own: a strict one would cost more than what is measured. */
export async function startReceiver(): Promise<Receiver> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = (await firstLine(child)).trim()
  return {
    url,
    take: async () => (await (await fetch(`${url}/take`)).json()) as Arrivals,
    close: () => stop(child),
  }
}

const EVENT_KEY = Buffer.from('"event":{')

/** Envelopes in a body; the events of the sandbox hold no `"event":{` of their own once they are in the streamed shape. */
function eventsIn(body: Buffer): number {
  let events = 0
  for (let at = body.indexOf(EVENT_KEY); at >= 0; at = body.indexOf(EVENT_KEY, at + 1)) events += 1
  return events
}

function serve(): void {
  let bodies: { events: number; bytes: number }[] = []
  const server = createServer((request, response) => {
    if (request.url === '/take') {
      response.end(JSON.stringify({ bodies }))
      bodies = []
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      if (request.method === 'POST') bodies.push({ events: eventsIn(body), bytes: body.length })
      response.setHeader('content-type', 'application/json').end('{"text":"Success","code":0}')
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    process.stdout.write(`http://127.0.0.1:${address.port}\n`)
  })
  process.on('SIGTERM', () => process.exit(0))
}

if (import.meta.main) serve()
