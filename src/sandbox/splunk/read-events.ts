import type { JsonObject } from '../../core/event.ts'
import { ObjectScanner } from './object-scanner.ts'
import type { HecToken, SplunkProfile } from './profile.ts'
import type { StoredRow } from './store.ts'

/** How a request's events went. `number` is the position of the event that was refused, as HEC would tell it. */
export type Outcome =
  | { readonly kind: 'done'; readonly events: number }
  | { readonly kind: 'refused'; readonly code: number; readonly number: number }
  /** A key HEC does not know: the events before it are kept, the rest is lost, and nobody is told. */
  | { readonly kind: 'lost-silently'; readonly events: number; readonly key: string }

export type ReadOptions = {
  readonly token: HecToken
  readonly profile: SplunkProfile
  readonly request: number
  readonly now: number
  readonly visibleAt: number
  /** Ends the request before this position, as a server that becomes busy. */
  readonly stopAt: number
  /** Code to refuse an event with, by its id. */
  readonly poison: ReadonlyMap<string, number>
  commit(row: StoredRow): void
  violate(rule: string, detail: string): void
}

const ENVELOPE = new Set(['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields'])

/** Reads events as HEC does: one object at a time, each kept at once, ending at the first that is refused. */
export function readEvents(body: Buffer, options: ReadOptions): Outcome {
  const scanner = new ObjectScanner(body)
  if (scanner.isArray) {
    options.violate('array-body', 'a batch is objects back to back, not an array')
    if (options.profile.kind === 'legacy') return { kind: 'refused', code: 6, number: 0 }
  }
  const times = { oldest: Number.POSITIVE_INFINITY, newest: Number.NEGATIVE_INFINITY, last: 0 }
  let committed = 0
  for (let position = 0; ; position += 1) {
    const found = scanner.next()
    if (found === 'end' || position >= options.stopAt) break
    const refused = (code: number): Outcome => ({
      kind: 'refused',
      code,
      // HEC reports a wrong index one too high.
      number: code === 7 ? position + 1 : position,
    })
    if (found === 'broken') return refused(6)
    let envelope: JsonObject
    try {
      envelope = JSON.parse(body.toString('utf8', scanner.start, scanner.end)) as JsonObject
    } catch {
      return refused(6)
    }
    for (const key in envelope) {
      if (ENVELOPE.has(key)) continue
      options.violate('unknown-key', `event ${position} has the key ${JSON.stringify(key)}`)
      return { kind: 'lost-silently', events: committed, key }
    }
    const code = refusal(envelope, scanner.end - scanner.start, options)
    if (code !== undefined) return refused(code)
    const event = envelope['event']
    if (event === undefined) {
      options.violate('fields-without-event', `event ${position} was dropped`)
      continue
    }
    const isObject = event !== null && typeof event === 'object'
    const id = isObject ? (event as JsonObject)['id'] : undefined
    const poison = typeof id === 'string' ? options.poison.get(id) : undefined
    if (poison !== undefined) return refused(poison)

    const time = envelope['time'] === undefined ? options.now / 1000 : Number(envelope['time'])
    if (time < times.last) options.violate('time-order', `event ${position} is older than the one before it`)
    times.last = time
    times.oldest = Math.min(times.oldest, time)
    times.newest = Math.max(times.newest, time)
    if (envelope['fields'] !== undefined) options.violate('fields', 'the live stream sends none')
    const createdAt = isObject ? (event as JsonObject)['createdAt'] : undefined
    options.commit({
      time,
      index: textOf(envelope['index']) ?? options.token.defaultIndex,
      host: textOf(envelope['host']),
      source: textOf(envelope['source']),
      sourcetype: textOf(envelope['sourcetype']),
      fields: envelope['fields'] as JsonObject | undefined,
      body,
      start: scanner.eventStart,
      end: scanner.eventEnd,
      id: typeof id === 'string' ? id : undefined,
      createdAt: typeof createdAt === 'string' ? createdAt : undefined,
      receivedAt: options.now,
      request: options.request,
      position,
      visibleAt: options.visibleAt,
    })
    committed += 1
  }
  const YEAR_SECONDS = 365 * 86_400
  if (times.newest - times.oldest > YEAR_SECONDS) {
    options.violate(
      'years-mixed',
      `a request spans ${Math.round((times.newest - times.oldest) / 86_400)} days`,
    )
  }
  return { kind: 'done', events: committed }
}

function refusal(envelope: JsonObject, bytes: number, options: ReadOptions): number | undefined {
  const { event, fields, time, index } = envelope
  if (Array.isArray(fields)) return 6
  if (event === undefined && fields === undefined) return 12
  if (event !== undefined && isBlank(event)) return 13
  if (time !== undefined && !isNumeric(time)) return 15
  if (fields !== undefined && hasNested(fields)) return 15
  if (index !== undefined && !options.token.indexes.includes(String(index))) return 7
  if (bytes > options.profile.maxEventBytes) {
    options.violate('event-size', `an event of ${bytes} bytes`)
    return 6
  }
  return undefined
}

function isBlank(event: unknown): boolean {
  if (event === null || event === '') return true
  if (typeof event === 'string') return event.trim() === ''
  if (Array.isArray(event)) return event.length === 0
  if (typeof event !== 'object') return false
  for (const _ in event) return false
  return true
}

function isNumeric(time: unknown): boolean {
  return typeof time === 'number' || (typeof time === 'string' && /^\s*-?\d+(?:\.\d+)?\s*$/.test(time))
}

function hasNested(fields: unknown): boolean {
  if (fields === null || typeof fields !== 'object') return true
  return Object.values(fields).some((value) =>
    Array.isArray(value)
      ? value.some((item) => item !== null && typeof item === 'object')
      : value !== null && typeof value === 'object',
  )
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value)
}
