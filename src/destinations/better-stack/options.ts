import * as z from 'zod'
import { duration, httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { BatchLimits, Frame } from '../../core/destination.ts'
import { batchWithin } from '../batch-within.ts'

const MAX_BYTES = 10_485_760
/** @source betterstack.com/docs/logs/ingesting-data/http/logs; more events than a thousand in a request gave 500s (logtail/logback-logtail#18) */
export const HARD_LIMITS: BatchLimits = { maxEvents: 1000, maxBytes: MAX_BYTES, maxEventBytes: MAX_BYTES }
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 500, maxBytes: 1_000_000, maxEventBytes: MAX_BYTES }
/** @source betterstack.com/docs/logs/ingesting-data/http/logs (record size) */
export const ADVISED = {
  eventBytes: 102_400,
  beyond: 'they are sent whole, but Better Stack recommends records under 100 KiB',
}
export const FRAME: Frame = { open: '[', separator: ',', close: ']' }

export const betterStackOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  /** The ingesting host of the source. */
  url: httpUrl(),
  /** The source token; it alone selects the source. */
  token: secret(),
  search: z
    .strictObject({
      url: httpUrl(),
      username: z.string().min(1),
      password: secret(),
      // Goes into queries as it is.
      table: z
        .string()
        .regex(/^t\d+_[a-z0-9_]+$/, 'must be t<team>_<source> in lower case, without _logs or _s3'),
      /** `warehouse` sources keep their rows in `_events` instead of `_logs`. */
      kind: z.enum(['logs', 'warehouse']).optional(),
      /** How long after its own time an event may have arrived; the live stream's rows stand at their arrival. Default 48h. */
      slack: duration().optional(),
    })
    .optional(),
})
export type BetterStackOptions = z.output<typeof betterStackOptions>
