import type { ReplayMark } from '../../core/destination.ts'
import { lateReason } from './late.ts'
import type { BackfillParts, SpooledEvent } from './types.ts'

/** An event ready to be put in a batch, or the reason why it never will be. */
export type Prepared = SpooledEvent & {
  readonly fate: 'send' | 'too-large' | 'refused' | 'late' | 'archive'
  readonly encoded: Uint8Array
  readonly atMs: number
  readonly isRestamped: boolean
  readonly reason: string
}

export type EncodeOptions = {
  readonly late: 'skip' | 'fail' | 'restamp' | 'archive'
  readonly mark: ReplayMark | undefined
  /** Counts what the streamed shape could not get back, by field. */
  readonly notRebuilt: Record<string, number>
}

const NOTHING = new Uint8Array(0)

/** The streamed shape in the provider's envelope, with the late rule applied at this moment. */
export function prepare(parts: BackfillParts, spooled: SpooledEvent, options: EncodeOptions): Prepared {
  const { source, destination, clock } = parts
  const { event } = spooled
  const { accepts, limits } = destination.traits
  const atMs = event.occurredAtMs
  const late =
    accepts.pastMs === undefined && accepts.futureMs === undefined
      ? undefined
      : lateReason(accepts, atMs, clock.now())
  if (late !== undefined && options.late !== 'restamp') {
    return {
      ...spooled,
      fate: options.late === 'archive' ? 'archive' : 'late',
      encoded: NOTHING,
      atMs,
      isRestamped: false,
      reason: late,
    }
  }
  const { bytes, notRebuilt } = source.shape.asStreamed(event, source.streamedSettings)
  for (const field of notRebuilt) options.notRebuilt[field] = (options.notRebuilt[field] ?? 0) + 1
  const encoded = destination.encode(bytes, event, { restamp: late !== undefined, mark: options.mark })
  if (encoded.length > limits.maxEventBytes) {
    const reason = `the event is ${encoded.length} bytes long; the destination takes at most ${limits.maxEventBytes}`
    return { ...spooled, fate: 'too-large', encoded: NOTHING, atMs, isRestamped: false, reason }
  }
  const refusal = destination.refuses?.(encoded)
  if (refusal !== undefined)
    return { ...spooled, fate: 'refused', encoded: NOTHING, atMs, isRestamped: false, reason: refusal.reason }
  return { ...spooled, fate: 'send', encoded, atMs, isRestamped: late !== undefined, reason: '' }
}
