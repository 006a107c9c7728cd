import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../core/event.ts'
import type { Exchange } from './listen.ts'

/** What a receiver keeps of one event, in the order of arrival. */
export type LoggedEvent = {
  readonly event: JsonObject
  readonly id: string | undefined
  /** The event's own time; NaN where it tells none. */
  readonly atMs: number
  readonly arrivedAt: number
  /** Which request brought it; 0 for events put in beforehand. */
  readonly request: number
  readonly visibleAt: number
}

export function logged(
  event: JsonObject,
  parts: { readonly arrivedAt: number; readonly request: number; readonly delayMs?: number },
): LoggedEvent {
  const id = event['id']
  const { arrivedAt, request, delayMs = 0 } = parts
  return {
    event,
    id: typeof id === 'string' ? id : undefined,
    atMs: ownTime(event),
    arrivedAt,
    request,
    visibleAt: arrivedAt + delayMs,
  }
}

/** As the live stream delivered it: a few seconds after it happened. */
export function loggedLive(event: JsonObject, now: number): LoggedEvent {
  const atMs = ownTime(event)
  return logged(event, { arrivedAt: Number.isNaN(atMs) ? now : atMs + 5000, request: 0, delayMs: -5000 })
}

function ownTime(event: JsonObject): number {
  const time = event['createdAt'] ?? event['timestamp'] ?? event['occurred_at'] ?? event['created_at']
  return typeof time === 'string' ? Date.parse(time) : Number.NaN
}

export function idsOf(log: readonly LoggedEvent[]): readonly string[] {
  return log.flatMap(({ id }) => (id === undefined ? [] : [id]))
}

/** The body before compression, or the status that refuses it. A bomb is stopped while it inflates. */
export function inflated(exchange: Exchange, maxBytes: number): Buffer | 400 | 413 | 415 {
  const encoding = exchange.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') return 415
  try {
    const body =
      encoding === 'gzip' ? gunzipSync(exchange.body, { maxOutputLength: maxBytes }) : exchange.body
    return body.length > maxBytes ? 413 : body
  } catch (error) {
    return (error as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400
  }
}

/** The objects of a body, one a line, or what is wrong with it. */
export function objectLines(body: Buffer): readonly JsonObject[] | string {
  const objects: JsonObject[] = []
  for (const [i, line] of body.toString('utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    const value = parsed(line)
    if (!isObject(value)) return `line ${i + 1} is not a JSON object`
    objects.push(value)
  }
  return objects
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** What the product sends when a stream is made: it must be taken, and is no event. */
export function isPing(event: JsonObject): boolean {
  return event['ping'] === 'ok' && Object.keys(event).length === 1
}
