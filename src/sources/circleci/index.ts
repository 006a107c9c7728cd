import * as z from 'zod'
import { duration, httpUrl, secret, sourceCommon } from '../../config/fields.ts'
import { HOUR_MS } from '../../core/time-range.ts'
import { openStore } from '../../storage/objects/open-store.ts'
import { defineSource, type SourceParts } from '../define-source.ts'
import { BucketSource } from './bucket-source.ts'
import { circleciShape } from './shape.ts'

/** Announced is under an hour; an outage may make it much more. */
const SLACK_MS = 2 * HOUR_MS

const options = z.strictObject({
  ...sourceCommon,
  bucket: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/, 'is not the name of a bucket; folders belong into "prefix"'),
  prefix: z.string().optional(),
  region: z.string().min(1).optional(),
  /** A store that speaks S3. */
  endpoint: httpUrl().optional(),
  pathStyle: z.boolean().optional(),
  /** How long after its hour an event may still be delivered. */
  slack: duration().optional(),
  profile: z.string().min(1).optional(),
  roleArn: z.string().startsWith('arn:').optional(),
  externalId: z.string().min(1).optional(),
  accessKeyId: secret().optional(),
  secretAccessKey: secret().optional(),
  sessionToken: secret().optional(),
})

/** The bucket that CircleCI streams an organization's audit log to. */
export const circleci = defineSource({
  type: 'circleci',
  title: 'CircleCI audit log streaming (an S3 bucket)',
  options,
  shape: circleciShape,
  notes: [
    'reads the bucket that CircleCI delivers to (Scale plan), on S3 or a store that speaks S3; needs s3:ListBucket and s3:GetObject',
    'needs the package @aws-sdk/client-s3, which is installed apart; credentials by the SDK’s own chain, a profile, a role, or keys',
    'folders are by the hour of delivery: "slack" (2h) says how much later than its event a file may come',
    'delivered twice is told apart by id; the SHA-1 in a file’s name is checked against its content',
    'CSV downloads are read by a file source with "of": "circleci"',
    'has no --environment, --path, --model or --user-agent-type; every filter is applied here',
  ],
  create(name: string, settings: z.output<typeof options>, parts: SourceParts) {
    const { bucket, prefix, endpoint, slack, liveRetry, retentionDays } = settings
    const slackMs = slack ?? SLACK_MS
    const open = () => (parts.openStore ?? openStore)({ kind: 's3', ...settings }, parts)
    return new BucketSource(
      name,
      { bucket, prefix, endpoint, slackMs, liveRetryMs: liveRetry ?? slackMs, retentionDays },
      parts,
      open,
    )
  },
})
