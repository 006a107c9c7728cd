import { randomUUID } from 'node:crypto'
import type { Check } from '../../core/check.ts'
import type { Destination, Receipt } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import { NamedEvent } from '../../core/event.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { Clock } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import { DAY_MS, isoTime, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'

export const CANARY_ACTION = 'auditctl-canary'
const FIRST_LOOK_MS = SECOND_MS
const LONGEST_LOOK_MS = 20 * SECOND_MS
const LEAST_WAIT_MS = 30 * SECOND_MS
/** Older than anything that a provider with an accept window of hours keeps under its own time. */
const LATE_DAYS = 3

export type CanaryParts = {
  readonly destination: Destination
  readonly inventory: Inventory | undefined
  /** Whose streamed shape the event has. */
  readonly shape: AuditSource['shape']
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Sends an event that says of itself that it is a test, looks until the SIEM holds it, and tells how long both took. Where the SIEM drops what is
 * old, another follows that is as old and sent as a refill of late events is: something there may date it by the time inside it.
 */
export async function canaryChecks(parts: CanaryParts): Promise<readonly Check[]> {
  const { destination, clock, inventory } = parts
  const { accepts, canaries = 1, restampLosesTime } = destination.traits
  const now = clock.now()
  const checks = await probe(parts, { name: 'canary', count: canaries, atMs: now, restamp: false })
  const isAgeLimited = accepts.pastMs !== undefined && accepts.pastMs < LATE_DAYS * DAY_MS
  const isFound = inventory !== undefined && checks.every(({ state }) => state === 'ok')
  if (!isAgeLimited || restampLosesTime === true || !isFound) return checks
  const late = { name: 'late canary', count: 1, atMs: now - LATE_DAYS * DAY_MS, restamp: true }
  return [...checks, ...(await probe(parts, late))]
}

type Probe = {
  readonly name: string
  readonly count: number
  readonly atMs: number
  readonly restamp: boolean
}

async function probe(parts: CanaryParts, asked: Probe): Promise<readonly Check[]> {
  const { destination, clock, signal, inventory } = parts
  const { name, count, atMs } = asked
  const ids = Array.from({ length: count }, () => randomUUID())
  const started = clock.monotonic()
  const receipt = await destination.deliver(
    { encoded: ids.map((id) => encoded(parts, id, asked)), ids, run: 'doctor' },
    { signal },
  )
  const tookMs = clock.monotonic() - started
  const took = tookMs < SECOND_MS ? `${Math.round(tookMs)} ms` : formatDuration(Math.round(tookMs))
  const sent = sentCheck(`${name} is accepted`, receipt, ids, took)
  if (sent.state === 'failure') return [sent]
  const check = `${name} is found`
  if (inventory === undefined) {
    const hint = `look for the id ${ids.join(', ')} by hand`
    return [sent, { check, state: 'warning', message: 'this stream cannot be searched from here', hint }]
  }
  const waitMs = Math.max(destination.traits.graceMs, LEAST_WAIT_MS)
  const window = { from: atMs - MINUTE_MS, to: atMs + MINUTE_MS }
  let held = 0
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 2)) {
    held = await heldOf(inventory, window, ids, signal)
    if (held === count) {
      const seconds = ((clock.monotonic() - started) / SECOND_MS).toFixed(1)
      const what = count === 1 ? 'found by its id' : `all ${count} of one request found by their ids`
      const message = `${what} ${seconds} s after it was sent (grace ${formatDuration(destination.traits.graceMs)})`
      return [sent, { check, state: 'ok', message }]
    }
    const leftMs = started + waitMs - clock.monotonic()
    if (leftMs <= 0) break
    await clock.sleep(Math.min(pauseMs, leftMs), signal)
  }
  return [sent, { check, state: 'failure', ...notFound(asked, held, formatDuration(waitMs)) }]
}

function notFound({ count, restamp }: Probe, held: number, wait: string): Pick<Check, 'message' | 'hint'> {
  if (held > 0) {
    return {
      message: `${held} of the ${count} events of one request were found within ${wait}: the others would be lost in every request`,
      hint: 'the far side makes fewer rows of a request than it holds events: look at its log format and parsing rules, or send with "batch": { "maxEvents": 1 }',
    }
  }
  return restamp
    ? {
        message: `an event of ${LATE_DAYS}d ago, sent without a time of its own, was not found within ${wait}: late events would be lost`,
        hint: 'does a pipeline there date events by a time inside them (createdAt, audit.occurred_at)? Take that remapping out, or use --late skip or archive',
      }
    : {
        message: `it was not found within ${wait}: gaps would call every event missing`,
        hint: 'does the search look into the index, table or dataset that the events are sent to, at the right idField? A slower SIEM needs a longer grace',
      }
}

function encoded({ destination, shape }: CanaryParts, id: string, { atMs, restamp }: Probe): Uint8Array {
  const occurredAt = isoTime(atMs)
  const streamed = {
    id,
    actor: 'platform',
    actorMetadata: {},
    eventType: CANARY_ACTION,
    eventMetadata: { canary: true, sentBy: 'auditctl doctor' },
    createdAt: occurredAt,
    updatedAt: occurredAt,
    // Where events of this product have their time.
    ...(shape.timeKey === undefined ? {} : { [shape.timeKey]: occurredAt }),
  }
  const bytes = Buffer.from(JSON.stringify(streamed))
  const reader = {
    type: shape.type,
    actor: () => 'platform',
    action: () => CANARY_ACTION,
    target: () => undefined,
  }
  const event = new NamedEvent(reader, bytes, { id, occurredAt, occurredAtMs: atMs })
  return destination.encode(bytes, event, { restamp })
}

function sentCheck(check: string, receipt: Receipt, ids: readonly string[], took: string): Check {
  if (receipt.accepted !== undefined || receipt.unverified !== undefined) {
    const what = ids.length === 1 ? `the event ${ids[0]} was` : `the events ${ids.join(', ')} were`
    return { check, state: 'ok', message: `${what} accepted in ${took}` }
  }
  const [rejected] = receipt.rejected ?? []
  const hint = receipt.stop?.hint ?? 'auditctl stream test and stream guide say what the receiver must take'
  const why = receipt.stop?.message ?? rejected?.reason ?? receipt.reason
  if (receipt.unknown !== undefined) {
    return { check, state: 'failure', message: `whether it arrived is not known: ${why}`, hint }
  }
  return { check, state: 'failure', message: `it was refused: ${why}`, hint }
}

/** How many of the ids it holds. */
async function heldOf(
  inventory: Inventory,
  window: { readonly from: number; readonly to: number },
  sent: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const missing = new Set(sent)
  for await (const { ids } of inventory.ids(window, { signal })) {
    for (const id of ids) missing.delete(id)
    if (missing.size === 0) break
  }
  return sent.length - missing.size
}
