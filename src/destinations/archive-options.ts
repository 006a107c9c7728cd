import * as z from 'zod'
import { duration, httpUrl, secret, streamCommon } from '../config/fields.ts'
import type { BatchLimits } from '../core/destination.ts'
import { LAYOUTS } from '../storage/objects/layouts.ts'
import type { StoreSettings } from '../storage/objects/open-store.ts'
import { batchWithin } from './batch-within.ts'

const MIB = 1024 * 1024
/** Objects of 64 MiB before compression at most: large enough to be read well, small enough to be held in memory. */
export const DEFAULT_LIMITS: BatchLimits = { maxEvents: null, maxBytes: 64 * MIB, maxEventBytes: 16 * MIB }
export const HARD_LIMITS: BatchLimits = { maxEvents: null, maxBytes: 512 * MIB, maxEventBytes: 16 * MIB }

const archive = {
  ...streamCommon,
  batch: batchWithin(HARD_LIMITS),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9!_.*'()/=-]*$/, "may hold letters, digits, and ! _ . * ' ( ) / = - only")
    .max(512)
    .optional(),
  layout: z.enum(LAYOUTS).optional(),
  /** How the files are packed: gzip unless the layout is CircleCI's, whose files are plain. */
  compress: z.enum(['none', 'gzip', 'zstd']).optional(),
  /** In an archive that somebody else fills: how long after its hour an event may still be delivered. */
  slack: duration().optional(),
}

const bucketName = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,221}$/, 'is not the name of a bucket; folders belong into "prefix"')

export const s3Options = z.strictObject({
  ...archive,
  bucket: bucketName(),
  region: z.string().min(1).optional(),
  /** A store that speaks S3. */
  endpoint: httpUrl().optional(),
  pathStyle: z.boolean().optional(),
  profile: z.string().min(1).optional(),
  roleArn: z.string().startsWith('arn:').optional(),
  externalId: z.string().min(1).optional(),
  accessKeyId: secret().optional(),
  secretAccessKey: secret().optional(),
  sessionToken: secret().optional(),
  kmsKeyId: z.string().min(1).optional(),
})

export const gcsOptions = z.strictObject({
  ...archive,
  bucket: bucketName(),
  endpoint: httpUrl().optional(),
  /** The text of a key file, as `file:key.json`. */
  credentials: secret().optional(),
  accessToken: secret().optional(),
})

export const azureBlobOptions = z.strictObject({
  ...archive,
  container: bucketName(),
  account: z.string().min(1).optional(),
  endpoint: httpUrl().optional(),
  connectionString: secret().optional(),
  accountKey: secret().optional(),
  sasToken: secret().optional(),
  tenantId: z.string().min(1).optional(),
  clientId: z.string().min(1).optional(),
  clientSecret: secret().optional(),
})

/** What all three have in common, for what does not care which it is. */
export type ArchiveOptions = z.output<z.ZodObject<typeof archive>>
export type S3Options = z.output<typeof s3Options>
export type GcsOptions = z.output<typeof gcsOptions>
export type AzureBlobOptions = z.output<typeof azureBlobOptions>

/** A stream's settings with what opens its bucket. */
export type ArchiveStream = {
  readonly options: ArchiveOptions
  readonly store: StoreSettings
  /** For messages: `S3`. */
  readonly service: string
}
