import type { ReplayMark } from '../../core/destination.ts'
import type { AuditEvent } from '../../core/event.ts'
import { refusalOf } from '../../streams/batch.ts'
import { lateReason } from './late.ts'
import type { BackfillParts, SpooledEvent } from './types.ts'

export type Fate = 'send' | 'rejected' | 'late' | 'archive'

/** An event ready to be put in a batch, or the reason why it never will be. */
export type Prepared = SpooledEvent & {
  readonly fate: Fate
  readonly encoded: Uint8Array
  readonly atMs: number
  readonly isRestamped: boolean
  /** Fields of the streamed shape that the source no longer tells. */
  readonly notRebuilt: readonly string[]
  /** For what is not sent. */
  readonly code: string
  readonly reason: string
}

export type EncodeOptions = {
  readonly late: 'skip' | 'fail' | 'restamp' | 'archive'
  readonly mark: ReplayMark | undefined
}

const NOTHING = new Uint8Array(0)
const NONE: readonly string[] = []

/** The streamed shape in the provider's envelope, with the late rule applied at this moment. */
export function prepare(
  parts: Pick<BackfillParts, 'source' | 'destination' | 'clock'>,
  { event, position, spoolFrom, spoolTo }: SpooledEvent,
  options: EncodeOptions,
): Prepared {
  const { source, destination } = parts
  const atMs = event.occurredAtMs
  const late = lateNow(parts, event)
  const unsent = (fate: Fate, code: string, reason: string): Prepared => ({
    event,
    position,
    spoolFrom,
    spoolTo,
    fate,
    encoded: NOTHING,
    atMs,
    isRestamped: false,
    notRebuilt: NONE,
    code,
    reason,
  })
  if (late !== undefined && options.late !== 'restamp')
    return unsent(options.late === 'archive' ? 'archive' : 'late', 'late', late)
  const isRestamped = late !== undefined
  const { bytes, notRebuilt } = source.shape.asStreamed(event, source.streamedSettings)
  const encoded = destination.encode(bytes, event, { restamp: isRestamped, mark: options.mark })
  const tooLarge = refusalOf(encoded.length, destination.traits)
  if (tooLarge !== undefined) {
    const what = tooLarge.limit === 'maxBytes' ? 'a request with it alone' : 'the event'
    const reason = `${what} is ${tooLarge.bytes} bytes long; the stream takes at most ${tooLarge.maxBytes}`
    return unsent('rejected', 'too-large', reason)
  }
  const refusal = destination.refuses?.(encoded)
  if (refusal !== undefined) return unsent('rejected', refusal.code, refusal.reason)
  return {
    event,
    position,
    spoolFrom,
    spoolTo,
    fate: 'send',
    encoded,
    atMs,
    isRestamped,
    notRebuilt,
    code: '',
    reason: '',
  }
}

/** Why the event is outside what the far side keeps under its own time at this moment; undefined when it is inside. */
export function lateNow(
  { destination, clock }: Pick<BackfillParts, 'destination' | 'clock'>,
  event: AuditEvent,
): string | undefined {
  const { accepts } = destination.traits
  if (accepts.pastMs === undefined && accepts.futureMs === undefined) return undefined
  return lateReason(accepts, event.occurredAtMs, clock.now())
}
