import { randomUUID } from 'node:crypto'
import type { Check } from '../../core/check.ts'
import type { Destination, Receipt } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import { NamedEvent } from '../../core/event.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { Clock } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import { isoTime, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'

export const CANARY_ACTION = 'auditctl-canary'
const FIRST_LOOK_MS = SECOND_MS
const LONGEST_LOOK_MS = 20 * SECOND_MS
const LEAST_WAIT_MS = 30 * SECOND_MS

export type CanaryParts = {
  readonly destination: Destination
  readonly inventory: Inventory | undefined
  /** Whose streamed shape the event has. */
  readonly shape: AuditSource['shape']
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Sends one event that says of itself that it is a test, looks until the SIEM holds it, and tells how long both took. */
export async function canaryChecks(parts: CanaryParts): Promise<readonly Check[]> {
  const { destination, clock, signal, inventory } = parts
  const sentAtMs = clock.now()
  const id = randomUUID()
  const started = clock.monotonic()
  const receipt = await destination.deliver(
    { encoded: [encoded(parts, id, sentAtMs)], ids: [id], run: 'doctor' },
    { signal },
  )
  const tookMs = clock.monotonic() - started
  const took = tookMs < SECOND_MS ? `${Math.round(tookMs)} ms` : formatDuration(Math.round(tookMs))
  const sent = sentCheck(receipt, id, took)
  if (sent.state === 'failure') return [sent]
  const check = 'canary is found'
  if (inventory === undefined) {
    const hint = `look for the id ${id} by hand`
    return [sent, { check, state: 'warning', message: 'this stream cannot be searched from here', hint }]
  }
  const waitMs = Math.max(destination.traits.graceMs, LEAST_WAIT_MS)
  const window = { from: sentAtMs - MINUTE_MS, to: sentAtMs + MINUTE_MS }
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 2)) {
    if (await isHeld(inventory, window, id, signal)) {
      const seconds = ((clock.monotonic() - started) / SECOND_MS).toFixed(1)
      const message = `found by its id ${seconds} s after it was sent (grace ${formatDuration(destination.traits.graceMs)})`
      return [sent, { check, state: 'ok', message }]
    }
    const leftMs = started + waitMs - clock.monotonic()
    if (leftMs <= 0) break
    await clock.sleep(Math.min(pauseMs, leftMs), signal)
  }
  return [
    sent,
    {
      check,
      state: 'failure',
      message: `it was not found within ${formatDuration(waitMs)}: gaps would call every event missing`,
      hint: 'does the search look into the index, table or dataset that the events are sent to, at the right idField? A slower SIEM needs a longer grace',
    },
  ]
}

function encoded({ destination, shape }: CanaryParts, id: string, atMs: number): Uint8Array {
  const sentAt = isoTime(atMs)
  const streamed = {
    id,
    actor: 'platform',
    actorMetadata: {},
    eventType: CANARY_ACTION,
    eventMetadata: { canary: true, sentBy: 'auditctl doctor' },
    createdAt: sentAt,
    updatedAt: sentAt,
  }
  const bytes = Buffer.from(JSON.stringify(streamed))
  const reader = {
    type: shape.type,
    actor: () => 'platform',
    action: () => CANARY_ACTION,
    target: () => undefined,
  }
  const event = new NamedEvent(reader, bytes, { id, occurredAt: sentAt, occurredAtMs: atMs })
  return destination.encode(bytes, event, { restamp: false })
}

function sentCheck(receipt: Receipt, id: string, took: string): Check {
  const check = 'canary is accepted'
  if (receipt.accepted !== undefined || receipt.unverified !== undefined) {
    return { check, state: 'ok', message: `the event ${id} was accepted in ${took}` }
  }
  const [rejected] = receipt.rejected ?? []
  const hint = receipt.stop?.hint ?? 'auditctl stream test and stream guide say what the receiver must take'
  const why = receipt.stop?.message ?? rejected?.reason ?? receipt.reason
  if (receipt.unknown !== undefined) {
    return { check, state: 'failure', message: `whether it arrived is not known: ${why}`, hint }
  }
  return { check, state: 'failure', message: `it was refused: ${why}`, hint }
}

async function isHeld(
  inventory: Inventory,
  window: { readonly from: number; readonly to: number },
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const { ids } of inventory.ids(window, { signal })) if (ids.includes(id)) return true
  return false
}
