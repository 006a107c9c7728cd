import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { BatchLimits, Frame } from '../../core/destination.ts'
import { batchWithin } from '../batch-within.ts'

/** Old releases take 2 MB, current ones at least the 4 MiB of the live stream: the default passes everywhere, also for an event that goes alone. */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 500, maxBytes: 1_000_000, maxEventBytes: 2_000_000 }
export const HARD_LIMITS: BatchLimits = { maxEvents: 900, maxBytes: 4_194_304, maxEventBytes: 4_194_304 }
/** As the live stream: no line end after the last event. */
export const FRAME: Frame = { open: '', separator: '\n', close: '' }

export const criblOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  /** The whole address, ending in `/_bulk`. */
  url: httpUrl(),
  /** None where the source has none configured: then anyone may post. */
  token: secret().optional(),
  authScheme: z.enum(['bearer', 'raw']).optional(),
  mode: z.enum(['batch', 'single']).optional(),
})
export type CriblOptions = z.output<typeof criblOptions>

export type AuthScheme = NonNullable<CriblOptions['authScheme']>

export async function authorization(
  options: Pick<CriblOptions, 'token'>,
  scheme: AuthScheme,
): Promise<Record<string, string>> {
  if (options.token === undefined) return {}
  const token = await options.token.reveal()
  return { authorization: scheme === 'raw' ? token : `Bearer ${token}` }
}
