import { streamedShape } from '../../../src/sandbox/infisical/streamed.ts'
import { naiveEvents } from './client.ts'
import { whereOf } from './server.ts'

// Fetch, zod, the streamed shape through objects, an envelope by JSON.stringify, a POST for every thousand events or million bytes.
const MAX_EVENTS = 1000
const MAX_BYTES = 1_000_000

const { where, rest } = whereOf(process.argv)
const [receiver = '', token = ''] = rest
let batch: string[] = []
let bytes = 0

async function send(): Promise<void> {
  const response = await fetch(`${receiver}/services/collector/event`, {
    method: 'POST',
    headers: { authorization: `Splunk ${token}`, 'content-type': 'application/json' },
    body: batch.join(''),
  })
  const { code } = (await response.json()) as { code: number }
  if (code !== 0) throw new Error(`the receiver answered ${code}`)
  batch = []
  bytes = 0
}

for await (const event of naiveEvents(where)) {
  const envelope = JSON.stringify({
    time: Date.parse(event.createdAt) / 1000,
    source: 'infisical',
    sourcetype: '_json',
    index: 'audit',
    event: streamedShape(event, { store: 'postgres' }),
  })
  const size = Buffer.byteLength(envelope)
  if (batch.length === MAX_EVENTS || bytes + size > MAX_BYTES) await send()
  batch.push(envelope)
  bytes += size
}
if (batch.length > 0) await send()
