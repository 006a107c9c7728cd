import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const HOOK = pathToFileURL(join(import.meta.dirname, 'resolve-sdks.ts')).href

/** For a program of its own that shall find the SDKs beside these tests. */
export const SDK_ENVIRONMENT: Readonly<Record<string, string>> = { NODE_OPTIONS: `--import ${HOOK}` }

/** What the AWS SDK's own chain finds for a bucket that only an URL names: the settings of a sandbox's stream. */
export function awsEnvironment(stream: Readonly<Record<string, unknown>>): Record<string, string> {
  return {
    ...SDK_ENVIRONMENT,
    AWS_ENDPOINT_URL_S3: String(stream['endpoint']),
    AWS_REGION: String(stream['region']),
    AWS_ACCESS_KEY_ID: String(stream['accessKeyId']),
    AWS_SECRET_ACCESS_KEY: String(stream['secretAccessKey']),
  }
}
