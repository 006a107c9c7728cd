import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { BatchLimits } from '../../core/destination.ts'
import { batchWithin } from '../batch-within.ts'

/** @source specs of HEC: `maxEventSize` 5 MB; requests of a million bytes pass everywhere, old servers included */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 1000, maxBytes: 1_000_000, maxEventBytes: 5_242_880 }
/** @source limits.conf 9.0.6, `[http_input] max_content_length`: 800 MiB */
export const HARD_LIMITS: BatchLimits = { maxEvents: null, maxBytes: 838_860_800, maxEventBytes: 5_242_880 }

// These go into search strings as they are.
const name = () => z.string().regex(/^[A-Za-z0-9_:.-]+$/, 'may hold letters, digits, and _ : . - only')

export const splunkOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  url: httpUrl(),
  token: secret(),
  index: name().optional(),
  /** Wait for indexer acknowledgment; the token must have it switched on. */
  acknowledge: z.boolean().optional(),
  source: z.string().min(1).optional(),
  sourcetype: name().optional(),
  search: z.strictObject({ url: httpUrl(), token: secret(), index: name().optional() }).optional(),
})
export type SplunkOptions = z.output<typeof splunkOptions>

/** The base of a HEC address, whichever of its endpoints was pasted. */
export function hecBase(url: string): string {
  return url
    .replace(/[?#].*$/s, '')
    .replace(/\/services\/collector(?:\/.*)?$/s, '')
    .replace(/\/+$/, '')
}
