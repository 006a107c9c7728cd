import { createHash } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'

/** Keys and contents of an archive by hours, as a stream of object storage lays it out; for what the live stream would have delivered. */
export function archiveFiles(
  streamed: Iterable<JsonObject>,
): { readonly key: string; readonly body: Buffer }[] {
  const hours = new Map<string, string[]>()
  for (const event of streamed) {
    const at = timeOf(event)
    const hour = new Date(at).toISOString().slice(0, 13)
    hours.set(hour, [...(hours.get(hour) ?? []), JSON.stringify(event)])
  }
  return [...hours].map(([hour, lines]) => {
    const body = Buffer.from(`${lines.join('\n')}\n`)
    const sha = createHash('sha256').update(body).digest('hex')
    return {
      key: `source=infisical/dt=${hour.slice(0, 10)}/hour=${hour.slice(11)}/part-0000000-${sha}.jsonl`,
      body,
    }
  })
}

/** The events of a stored object; manifests have none. */
export function archivedRows(key: string, body: Buffer): readonly JsonObject[] {
  if (key.endsWith('manifest.json')) return []
  const text =
    body[0] === 0x1f
      ? gunzipSync(body)
      : body[0] === 0x28 && body[1] === 0xb5
        ? zstdDecompressSync(body)
        : body
  return text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject)
}

function timeOf(event: JsonObject): number {
  return Date.parse(
    String(event['createdAt'] ?? event['occurred_at'] ?? event['timestamp'] ?? event['created_at']),
  )
}
