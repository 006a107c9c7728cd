import type { ReplayMark } from '../../core/destination.ts'
import { refusalOf } from '../../streams/batch.ts'
import { lateReason } from './late.ts'
import type { BackfillParts, SpooledEvent } from './types.ts'

export type Fate = 'send' | 'rejected' | 'late' | 'archive'

/** An event ready to be put in a batch, or the reason why it never will be. Its own bytes stay in the spool. */
export type Prepared = Omit<SpooledEvent, 'event'> & {
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
/** One list for all: who counts what was lost sees at a glance that it is the same again. */
export const NOTHING_LOST: readonly string[] = []

/** The streamed shape in the provider's envelope, with the late rule applied at this moment. */
export function prepare(
  parts: Pick<BackfillParts, 'source' | 'destination' | 'clock'>,
  spooled: SpooledEvent,
  options: EncodeOptions,
): Prepared {
  const { source, destination } = parts
  const { event, position, spoolFrom, spoolTo } = spooled
  const atMs = event.occurredAtMs
  const late = lateNow(parts, atMs)
  if (late !== undefined && options.late !== 'restamp')
    return unsent(spooled, options.late === 'archive' ? 'archive' : 'late', 'late', late)
  const isRestamped = late !== undefined
  const { bytes, notRebuilt } = source.shape.asStreamed(event, source.streamedSettings)
  const encoded = destination.encode(bytes, event, { restamp: isRestamped, mark: options.mark })
  const tooLarge = refusalOf(encoded.length, destination.traits)
  if (tooLarge !== undefined) {
    return unsent(spooled, 'rejected', 'too-large', tooLargeReason(tooLarge))
  }
  const refusal = destination.refuses?.(encoded)
  if (refusal !== undefined) return unsent(spooled, 'rejected', refusal.code, refusal.reason)
  return {
    position,
    spoolFrom,
    spoolTo,
    fate: 'send',
    // Where nothing had to be added these are the bytes of the spool's block, which will be another one's soon.
    encoded: encoded.buffer === event.buffer.buffer ? new Uint8Array(encoded) : encoded,
    atMs,
    isRestamped,
    notRebuilt,
    code: '',
    reason: '',
  }
}

export function tooLargeReason({
  limit,
  bytes,
  maxBytes,
}: NonNullable<ReturnType<typeof refusalOf>>): string {
  const what = limit === 'maxBytes' ? 'a request with it alone' : 'the event'
  return `${what} is ${bytes} bytes long; the stream takes at most ${maxBytes}`
}

/** An event that is set aside. */
export function unsent(spooled: SpooledEvent, fate: Fate, code: string, reason: string): Prepared {
  const { event, position, spoolFrom, spoolTo } = spooled
  return {
    position,
    spoolFrom,
    spoolTo,
    fate,
    encoded: NOTHING,
    atMs: event.occurredAtMs,
    isRestamped: false,
    notRebuilt: NOTHING_LOST,
    code,
    reason,
  }
}

/** Why an event of that time is outside what the far side keeps under its own time at this moment; undefined when it is inside. */
export function lateNow(
  { destination, clock }: Pick<BackfillParts, 'destination' | 'clock'>,
  atMs: number,
): string | undefined {
  const { accepts } = destination.traits
  if (accepts.pastMs === undefined && accepts.futureMs === undefined) return undefined
  return lateReason(accepts, atMs, clock.now())
}
