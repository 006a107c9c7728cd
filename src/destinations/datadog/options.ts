import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { AcceptWindow, BatchLimits, Frame } from '../../core/destination.ts'
import { HOUR_MS } from '../../core/time-range.ts'
import { batchWithin } from '../batch-within.ts'

/** Over a million bytes a log is truncated, and still answered with 202. @source docs.datadoghq.com/api/latest/logs (send logs) */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 1000, maxBytes: 4_000_000, maxEventBytes: 1_000_000 }
export const HARD_LIMITS: BatchLimits = { maxEvents: 1000, maxBytes: 5_000_000, maxEventBytes: 1_000_000 }
/** @source docs.datadoghq.com/api/latest/logs (send logs), docs.datadoghq.com/logs/log_collection */
export const ADVISED = {
  eventBytes: 25_000,
  beyond: 'they are sent whole, but Datadog recommends 25 kB, and groups by no more than 25 KiB of a text',
}
export const FRAME: Frame = { open: '[', separator: ',', close: ']' }

/** Datadog keeps 18 hours back and 2 ahead; an hour of each is left for what a request waits on its way. */
export const ACCEPTS: AcceptWindow = { pastMs: 17 * HOUR_MS, futureMs: HOUR_MS }

export const SITES: readonly string[] = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'uk1.datadoghq.com',
  'ddog-gov.com',
  'us2.ddog-gov.com',
]

const tagList = z
  .string()
  .refine((text) => text.split(',').length <= 90 && text.split(',').every((tag) => tag.length <= 256), {
    message: 'must hold at most 90 tags of at most 256 characters, separated by commas',
  })

export const datadogOptions = z.strictObject({
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  site: z
    .string()
    .regex(/^[a-z0-9.-]+$/i, 'must be a site like datadoghq.eu')
    .optional(),
  apiKey: secret(),
  /** Needs the scope logs_read_data; without it nothing can be looked up. */
  appKey: secret().optional(),
  /** Base URLs in place of the site's own hosts; the documented paths are added. */
  intakeUrl: httpUrl().optional(),
  apiUrl: httpUrl().optional(),
  ddsource: z.string().min(1).optional(),
  service: z.string().min(1).optional(),
  /** In place of `env:<env>`; beside it when `env` is given as well. */
  ddtags: tagList.optional(),
  env: z
    .string()
    .regex(/^[^,]+$/, 'must not hold a comma')
    .optional(),
  search: z
    .strictObject({
      /** In place of `source:<ddsource>`. */
      query: z.string().min(1).optional(),
      indexes: z.array(z.string().min(1)).min(1).optional(),
      storageTier: z.enum(['indexes', 'online-archives', 'flex']).optional(),
    })
    .optional(),
})
export type DatadogOptions = z.output<typeof datadogOptions>

export function intakeBase(options: Pick<DatadogOptions, 'site' | 'intakeUrl'>): string {
  return trimmed(options.intakeUrl ?? `https://http-intake.logs.${options.site ?? 'datadoghq.com'}`)
}

export function apiBase(options: Pick<DatadogOptions, 'site' | 'apiUrl'>): string {
  return trimmed(options.apiUrl ?? `https://api.${options.site ?? 'datadoghq.com'}`)
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/api\/v2\/logs$/, '')
}
