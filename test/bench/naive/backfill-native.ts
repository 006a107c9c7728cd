import * as z from 'zod'

// Fetch, parse, check with zod, the provider's envelope by JSON.stringify, a POST for every full batch.
const entrySchema = z.looseObject({
  id: z.string(),
  timestamp: z.iso.datetime(),
  action: z.string(),
  identity_type: z.string(),
  identity_id: z.string(),
  secret_path: z.string().nullish(),
  source_ip: z.string(),
  user_agent: z.string(),
  success: z.boolean(),
  duration_ms: z.number(),
  request_id: z.string(),
  extra_data: z.record(z.string(), z.unknown()).optional(),
})

const [source = '', from = '', to = '', url = '', form = '', mostEvents = '', mostBytes = ''] =
  process.argv.slice(2)
const [maxEvents, maxBytes] = [Number(mostEvents), Number(mostBytes)]
let batch: string[] = []
let bytes = 2

async function send(): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: 'Splunk bench', 'content-type': 'application/json' },
    body: form === 'splunk' ? batch.join('') : `[${batch.join(',')}]`,
  })
  if (response.status !== 200) throw new Error(`the receiver answered ${response.status}`)
  await response.json()
  batch = []
  bytes = 2
}

async function* entries(): AsyncGenerator<z.infer<typeof entrySchema>> {
  let cursor: string | null = null
  do {
    const query: URLSearchParams = new URLSearchParams({
      from,
      to,
      limit: '1000',
      ...(cursor === null ? {} : { cursor }),
    })
    const response = await fetch(`${source}/v1/audit/logs?${query}`, {
      headers: { authorization: 'Bearer bench' },
    })
    const page = (await response.json()) as { logs: unknown[]; cursor: string | null }
    for (const entry of page.logs) yield entrySchema.parse(entry)
    cursor = page.cursor
  } while (cursor !== null)
}

for await (const entry of entries()) {
  const text = JSON.stringify(
    form === 'splunk'
      ? {
          time: Date.parse(entry.timestamp) / 1000,
          source: 'scaivault',
          sourcetype: '_json',
          index: 'audit',
          event: entry,
        }
      : entry,
  )
  const size = Buffer.byteLength(text) + (form === 'splunk' ? 0 : 1)
  if (batch.length === maxEvents || bytes + size > maxBytes) await send()
  batch.push(text)
  bytes += size
}
if (batch.length > 0) await send()
