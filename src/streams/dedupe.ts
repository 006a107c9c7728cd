import { type AuditEvent, SpanEvent } from '../core/event.ts'
import type { IdDigest } from '../core/id-digest.ts'
import type { IdSet } from '../core/id-set.ts'

/** The pages with only the first sight of each id. Ids already in `seen` count as seen; new ones are added, with their time. */
export async function* dedupe(
  pages: AsyncIterable<readonly AuditEvent[]>,
  seen: IdSet,
): AsyncGenerator<readonly AuditEvent[]> {
  for await (const page of pages) yield page.filter((event) => addEventId(seen, event))
}

/** Adds the event's id without making a string of it where it lies in the event's bytes. True when it is new. */
export function addEventId(seen: IdSet, event: AuditEvent): boolean {
  if (event instanceof SpanEvent) {
    return seen.addAt(event.buffer, event.idStart, event.idEnd, event.occurredAtMs)
  }
  return seen.add(event.id, event.occurredAtMs)
}

/** The same for a digest of ids. */
export function digestEventId(digest: IdDigest, event: AuditEvent): void {
  if (event instanceof SpanEvent) digest.addAt(event.buffer, event.idStart, event.idEnd)
  else digest.add(event.id)
}
