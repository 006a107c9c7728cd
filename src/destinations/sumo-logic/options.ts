import * as z from 'zod'
import { secret, streamCommon } from '../../config/fields.ts'
import type { AcceptWindow, BatchLimits, Frame } from '../../core/destination.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { batchWithin } from '../batch-within.ts'

/** A longer message is split, so that no part of it is JSON. @source specs of the HTTP source: 64 KB a message, 1 MB a request */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 900, maxBytes: 700_000, maxEventBytes: 65_536 }
export const HARD_LIMITS: BatchLimits = { maxEvents: 900, maxBytes: 1_000_000, maxEventBytes: 65_536 }
export const FRAME: Frame = { open: '', separator: '\n', close: '' }
/** Beyond it an event gets another time. */
export const ACCEPTS: AcceptWindow = { pastMs: 365 * DAY_MS, futureMs: 2 * DAY_MS }

export const sumoOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  /** The HTTP Source Address: whoever knows it may send. */
  url: secret(),
  token: secret().optional(),
})
export type SumoOptions = z.output<typeof sumoOptions>
