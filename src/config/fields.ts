import * as z from 'zod'
import { parseDuration } from '../core/duration.ts'
import { Secret } from '../core/secret.ts'

/** Tells credentials and durations apart from other texts for whoever shows, asks for or sets a value. */
export const FIELD_MARKS = z.registry<{ kind: 'secret' | 'duration' }>()

/** A credential: `env:NAME`, `file:PATH`, `cmd:COMMAND`, `keychain:NAME` or a literal. Bound to its resolver after parsing. */
export function secret() {
  return z
    .string()
    .min(1)
    .transform((reference) => new Secret(reference))
    .register(FIELD_MARKS, { kind: 'secret' })
}

/** `90s`, `15m`, `2h`; parsed to milliseconds. */
export function duration() {
  return z
    .string()
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined) return ms
      context.addIssue({
        code: 'custom',
        message: 'this is not a duration; write it like 90s, 15m, 2h or 7d',
      })
      return z.NEVER
    })
    .register(FIELD_MARKS, { kind: 'duration' })
}

/** An http or https URL without user info. A secret reference (`env:SUMO_URL`) is a `secret()`, not this. */
export function httpUrl() {
  return z.string().refine(
    (text) => {
      if (!URL.canParse(text)) return false
      const url = new URL(text)
      return /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    },
    { message: 'must be an http or https URL without user name and password' },
  )
}

export const tls = z
  .strictObject({
    caFile: z.string().optional(),
    certFile: z.string().optional(),
    keyFile: z.string().optional(),
    insecureSkipVerify: z.boolean().optional(),
  })
  .optional()

/** The value of a header: it may be a credential, so it is treated as one. */
function headerValue() {
  return z
    .string()
    .regex(/^[^\r\n\0]*$/, 'must not contain line breaks')
    .transform((text) => new Secret(text))
    .register(FIELD_MARKS, { kind: 'secret' })
}

/** Keys that every source may have. Spread into a source's own `z.strictObject`. */
export const sourceCommon = {
  type: z.string(),
  tls,
  allowInsecureHttp: z.boolean().optional(),
  rate: z.number().positive().optional(),
  pageSize: z.int().positive().optional(),
  retentionDays: z.number().positive().optional(),
  liveRetry: duration().optional(),
}

/** Keys that every stream may have. Spread into a provider's own `z.strictObject`. */
export const streamCommon = {
  provider: z.string(),
  sources: z.array(z.string()).optional(),
  filters: z.strictObject({ products: z.array(z.string()).optional() }).optional(),
  batch: z
    .strictObject({ maxEvents: z.int().positive().optional(), maxBytes: z.int().positive().optional() })
    .optional(),
  late: z.enum(['skip', 'fail', 'restamp', 'archive']).optional(),
  archive: z.strictObject({ dir: z.string() }).optional(),
  mark: z.boolean().optional(),
  liveRetry: duration().optional(),
  grace: duration().optional(),
  idField: z.string().optional(),
  eventTime: z.boolean().optional(),
  acceptWindow: z.strictObject({ past: duration().optional(), future: duration().optional() }).optional(),
  host: z.string().optional(),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not the name of a header'), headerValue())
    .optional(),
  compress: z.enum(['none', 'gzip']).optional(),
  rate: z.number().positive().optional(),
  tls,
  allowInsecureHttp: z.boolean().optional(),
  inventory: z
    .union([
      z.strictObject({ command: z.array(z.string()).min(1) }),
      z.strictObject({
        url: z.string(),
        headers: z.record(z.string(), headerValue()).optional(),
        items: z.string().optional(),
        id: z.string().optional(),
        next: z.string().optional(),
      }),
    ])
    .optional(),
}

/** What the common keys parse to; providers read theirs beside these. */
export type SourceCommon = z.output<z.ZodObject<typeof sourceCommon>>
export type StreamCommon = z.output<z.ZodObject<typeof streamCommon>>
