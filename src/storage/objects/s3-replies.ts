import type { ObjectEntry } from './store.ts'

/** What the SDK gives. */
export type Reply = Readonly<Record<string, unknown>>

export function entryOf(item: Reply): ObjectEntry {
  return {
    key: String(item['Key']),
    bytes: Number(item['Size'] ?? 0),
    version: textOf(item['ETag']),
    modifiedAt: item['LastModified'] instanceof Date ? item['LastModified'].getTime() : undefined,
  }
}

/** @throws Error when the store hands out the same page for ever */
export function nextToken(reply: Reply, last: unknown): unknown {
  if (reply['IsTruncated'] !== true) return undefined
  const next = reply['NextContinuationToken']
  if (typeof next !== 'string' || next === last) {
    throw Object.assign(new Error('a truncated listing came without a new continuation token'), {
      code: 'BadListing',
    })
  }
  return next
}

/** An ETag is an MD5 only where the object was put at once and not encrypted with a customer's key. */
export function md5OfTag(tag: unknown): string | undefined {
  return /^"?([0-9a-f]{32})"?$/.exec(String(tag))?.[1]
}

export function base64Of(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as {
    readonly name?: string
    readonly $metadata?: { readonly httpStatusCode?: number }
  }
  return name !== 'NoSuchBucket' && $metadata?.httpStatusCode === 404
}

export function isRefusedAsTaken(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }
  return $metadata?.httpStatusCode === 412
}
