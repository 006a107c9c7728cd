import { ContractError } from '../core/errors.ts'
import type { RemoteExport } from '../core/source.ts'

/** One file as a manifest of any hand lists it; undefined where it does not say. */
export type ListedFile = {
  /** From the bucket's root. */
  readonly key: string
  readonly bytes: number | undefined
  readonly rows: number | undefined
  /** Of the stored bytes, lower case. */
  readonly sha256: string | undefined
}

export type ListedFiles = {
  /** What lists them, for messages. */
  readonly name: string
  readonly files: readonly ListedFile[]
  readonly totalRows: number | undefined
  /** Why it does not call itself complete. */
  readonly reasons: readonly string[]
}

/**
 * A manifest that lies in the bucket: ours, or one that lists keys or objects with keys under `files`, `objects` or `manifest`.
 * @throws ContractError for anything else
 */
export function filesOfManifest(text: string, key: string): ListedFiles {
  const body = parsed(text)
  const list = [body['files'], body['objects'], body['manifest'], objectOf(body['manifest'])['files']].find(
    Array.isArray,
  )
  if (list === undefined) {
    throw new ContractError(`${key} lists no files`, {
      hint: 'name the manifest itself: auditctl verify s3://bucket/prefix/manifest.json',
    })
  }
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const totals = objectOf(body['totals'])
  const { reasons } = body
  return {
    name: key,
    files: list.map((item: unknown) => fileOf(item, folder)),
    totalRows: numberOf(totals['rows'] ?? body['total_records']),
    reasons:
      body['complete'] === false
        ? Array.isArray(reasons)
          ? reasons.map(String)
          : ['no reason is given']
        : [],
  }
}

/** What a finished job at the source says that it wrote. */
export function filesOfExport({ id, manifest }: RemoteExport): ListedFiles {
  const files = (manifest?.files ?? []).map(({ key, bytes, records, sha256 }) => ({
    key: keyIn(key),
    bytes,
    rows: records,
    sha256: sha256?.toLowerCase(),
  }))
  return { name: `the export ${id}`, files, totalRows: manifest?.totalRecords, reasons: [] }
}

/** Ours name paths from their own folder, others whole keys or URLs. */
function fileOf(item: unknown, folder: string): ListedFile {
  const record = objectOf(item)
  const path = record['path']
  const named =
    typeof item === 'string' ? item : [record['key'], path, record['name'], record['uri']].find(isText)
  const text = keyIn(isText(named) ? named : '')
  const isRelative = isText(path) || !text.startsWith(folder)
  const sha256 = record['sha256']
  return {
    key: isRelative && !text.startsWith(folder) ? folder + text : text,
    bytes: numberOf(record['bytes'] ?? record['size']),
    rows: numberOf(record['rows'] ?? record['records'] ?? record['count']),
    sha256: isText(sha256) ? sha256.toLowerCase() : undefined,
  }
}

/** The key in `s3://bucket/key`, or the key itself. */
function keyIn(text: string): string {
  return text.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, '').replace(/^\/+/, '')
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text)
    return Array.isArray(body) ? { files: body } : objectOf(body)
  } catch {
    // Said by the caller as what it is: not a manifest.
    return {}
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
