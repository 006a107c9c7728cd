import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { BatchLimits, Frame } from '../../core/destination.ts'
import { batchWithin } from '../batch-within.ts'

/** @source Infisical docs, audit log streams: a receiver must take 500 events or 1 MB; the sender itself stops at 400 and 700 KB */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 400, maxBytes: 700_000, maxEventBytes: 1_000_000 }
export const HARD_LIMITS: BatchLimits = { maxEvents: 500, maxBytes: 1_000_000, maxEventBytes: 1_000_000 }

/** What a request's body looks like. `single` is the legacy mode of streams made before batching: one bare object. */
export type BodyForm = 'array' | 'ndjson' | 'single'

export const FRAMES: Readonly<Record<BodyForm, Frame>> = {
  array: { open: '[', separator: ',', close: ']' },
  ndjson: { open: '', separator: '\n', close: '\n' },
  single: { open: '', separator: '', close: '' },
}

export const CONTENT_TYPES: Readonly<Record<BodyForm, string>> = {
  array: 'application/json',
  ndjson: 'application/x-ndjson',
  single: 'application/json',
}

/** Set by the client itself: another value would break the message. */
const RESERVED = ['content-length', 'transfer-encoding', 'host', 'connection', 'content-encoding']
const OF_SIGNING = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
const OF_KEY = ['idempotency-key', 'x-auditctl-run', 'x-auditctl-batch']

export const customOptions = z
  .strictObject({
    ...streamCommon,
    batch: batchWithin(HARD_LIMITS),
    url: httpUrl(),
    mode: z.enum(['batch', 'single']).optional(),
    format: z.enum(['array', 'ndjson']).optional(),
    /** What a 2xx must say to be believed; without `equals` the number of events sent. */
    expect: z
      .strictObject({
        pointer: z
          .string()
          .regex(/^(?:\/(?:[^~]|~[01])*)?$/, 'must be a JSON pointer, "" or like /status/accepted'),
        equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
      })
      .optional(),
    /** Standard Webhooks: `whsec_…` or `whsk_…`; several, separated by blanks, while one takes the place of another. */
    signing: z.strictObject({ secret: secret() }).optional(),
    idempotencyKey: z.boolean().optional(),
  })
  .superRefine((options, context) => {
    const complain = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path, message, input: undefined })
    if (options.signing !== undefined && options.compress === 'gzip') {
      complain(['compress'], 'a signature covers the bytes before compression; use none with "signing"')
    }
    if (options.mode === 'single' && options.format !== undefined) {
      complain(['format'], 'mode single sends one bare object at a time; leave the format out')
    }
    const taken = [
      ...RESERVED,
      ...(options.signing === undefined ? [] : OF_SIGNING),
      ...(options.idempotencyKey === true ? OF_KEY : []),
    ]
    const seen = new Set<string>()
    for (const name of Object.keys(options.headers ?? {})) {
      const lower = name.toLowerCase()
      if (taken.includes(lower)) complain(['headers', name], 'this header is set by auditctl itself')
      if (seen.has(lower)) complain(['headers', name], 'this header is given twice')
      seen.add(lower)
    }
  })
export type CustomOptions = z.output<typeof customOptions>

export function bodyForm({ mode, format }: Pick<CustomOptions, 'mode' | 'format'>): BodyForm {
  return mode === 'single' ? 'single' : (format ?? 'array')
}
