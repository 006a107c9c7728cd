import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { BatchLimits, Frame } from '../../core/destination.ts'
import { batchWithin } from '../batch-within.ts'

const MAX_EVENT_BYTES = 5_000_000
/** @source Cortex XSIAM documentation, "Set up an HTTP log collector to receive logs"; whether compressed bytes count is not said, so raw ones do */
export const HARD_LIMITS: BatchLimits = {
  maxEvents: null,
  maxBytes: 10_485_760,
  maxEventBytes: MAX_EVENT_BYTES,
}
export const DEFAULT_LIMITS: BatchLimits = {
  maxEvents: 1000,
  maxBytes: 1_048_576,
  maxEventBytes: MAX_EVENT_BYTES,
}
/** One record a line: an array on one line may become one record. */
export const FRAME: Frame = { open: '', separator: '\n', close: '' }
/** Requests a second; the tenant allows 400 for everybody together. */
export const DEFAULT_RATE = 20
/** Test records in one request: one alone would not tell whether a tenant takes a request apart. */
export const CANARIES = 3
export const COLLECTOR_PATH = '/logs/v1/event'

export const xsiamOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  url: httpUrl(),
  /** The collector's key, sent bare; `compress` must be what the collector is set to. */
  token: secret(),
  search: z
    .strictObject({
      url: httpUrl(),
      keyId: z.string().regex(/^\d+$/, 'is the number in the column ID of the API keys'),
      key: secret(),
      /** As the key was made. Default standard. */
      keyType: z.enum(['standard', 'advanced']).optional(),
      // Goes into queries as it is.
      dataset: z
        .string()
        .regex(/^[A-Za-z0-9_]+$/, 'may hold letters, digits and _ only: <vendor>_<product>_raw'),
      /** Query units that must be left of the day's quota; searching stops there. Default 0. */
      quotaFloor: z.number().nonnegative().optional(),
    })
    .optional(),
})
export type XsiamOptions = z.output<typeof xsiamOptions>
