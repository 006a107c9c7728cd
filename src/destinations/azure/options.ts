import * as z from 'zod'
import { httpUrl, secret, streamCommon } from '../../config/fields.ts'
import type { AcceptWindow, BatchLimits, Frame } from '../../core/destination.ts'
import { HOUR_MS } from '../../core/time-range.ts'
import { batchWithin } from '../batch-within.ts'

export const FRAME: Frame = { open: '[', separator: ',', close: ']' }

/** Valid under every reading of the documented megabyte; the event alone, between its brackets, is a body too. */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: 10_000, maxBytes: 1_000_000, maxEventBytes: 999_998 }
export const HARD_LIMITS: BatchLimits = { maxEvents: null, maxBytes: 1_048_576, maxEventBytes: 1_048_574 }

/** With `packing: "compressed"`: what has been seen to pass is counted after compression (open-telemetry/otel-arrow#2535). */
export const COMPRESSED_RAW_BYTES = 10_000_000
export const COMPRESSED_MAX_BYTES = 1_044_480

/** Beyond 2 days back or 1 ahead `TimeGenerated` is overwritten by the receipt time; an hour of each is left for the way. */
export const ACCEPTS: AcceptWindow = { pastMs: 47 * HOUR_MS, futureMs: 23 * HOUR_MS }

// These go into query texts as they are.
const column = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,44}$/, `must be the name of a ${what}: letters, digits and underscores`)

export const azureOptions = z
  .strictObject({
    ...streamCommon,
    batch: batchWithin(HARD_LIMITS),
    /** The column that holds the event's id; default `id`. Any other is added to what is sent. */
    idField: column('column').optional(),
    tenantId: z.string().min(1).optional(),
    clientId: z.string().min(1).optional(),
    clientSecret: secret().optional(),
    /** Without a clientSecret: which class of @azure/identity gives the token. */
    credential: z
      .enum(['default', 'managed-identity', 'workload-identity', 'certificate', 'azure-cli'])
      .optional(),
    certificateFile: z.string().min(1).optional(),
    endpoint: httpUrl(),
    ruleId: z.string().regex(/^[\w-]+$/, 'must be the immutable id of a data collection rule, dcr-…'),
    table: column('table').transform((name) => name.replace(/_CL$/, '')),
    stream: z
      .string()
      .regex(/^[\w-]+$/, 'must be the name of a stream declaration, Custom-…')
      .optional(),
    timeColumn: column('column')
      .refine((name) => name !== 'TimeGenerated', 'Azure overwrites TimeGenerated: name another column')
      .optional(),
    workspaceId: z
      .string()
      .regex(/^[\w-]+$/, "must be the workspace's id, a GUID")
      .optional(),
    authorityUrl: httpUrl().optional(),
    queryUrl: httpUrl().optional(),
    scope: z.string().min(1).optional(),
    queryScope: z.string().min(1).optional(),
    tablePlan: z.enum(['analytics', 'basic', 'auxiliary']).optional(),
    packing: z.enum(['plain', 'compressed']).optional(),
  })
  .refine((options) => options.clientSecret === undefined || (options.tenantId && options.clientId), {
    message: 'clientSecret needs tenantId and clientId beside it',
    path: ['clientSecret'],
  })
  .refine((options) => options.credential !== 'certificate' || options.certificateFile !== undefined, {
    message: 'credential "certificate" needs certificateFile',
    path: ['certificateFile'],
  })
export type AzureOptions = z.output<typeof azureOptions>

export function streamName(options: Pick<AzureOptions, 'stream' | 'table'>): string {
  return options.stream ?? `Custom-${options.table}_CL`
}
