import type { Positions, Receipt } from '../core/destination.ts'
import { AuditctlError, AuthError, RemoteConfigError, RemoteError } from '../core/errors.ts'
import { errorOf, nothingSent, problemOf } from '../storage/objects/problem.ts'

export type WriteJudged = {
  readonly service: string
  readonly stream: string
  /** `s3://acme-lake` */
  readonly url: string
  readonly now: number
}

/** What became of the events of one object. */
export type Fate = 'accepted' | 'unverified' | 'retry' | 'split' | 'unknown'
export type Judgement = Pick<Receipt, 'code' | 'reason' | 'retryAfterMs' | 'stop'> & { readonly fate: Fate }

/** What an error means for the events of an object that was being created. */
export function judgeWrite(error: unknown, judged: WriteJudged): Judgement {
  const { service, stream, url, now } = judged
  // Ours already: looking at what was written went wrong, or something else lies under the key.
  if (error instanceof RemoteError) {
    const stop = error.code === 'object-differs' || error instanceof AuthError ? { stop: error } : {}
    return { fate: 'unknown', code: error.code, reason: error.message, ...stop }
  }
  if (error instanceof AuditctlError) throw error
  const problem = problemOf(error, now)
  const { status, code } = problem
  const said = `${service} answered ${status ?? code}${status === undefined || code === `http-${status}` ? '' : ` ${code}`}`
  const reason = problem.message === '' || problem.message === code ? said : `${said}: ${problem.message}`
  const found = { code: status === undefined ? code : `http-${status}`, reason }
  const wait = { retryAfterMs: problem.retryAfterMs }
  const cause = errorOf(error, {
    service,
    operation: `write to ${url}`,
    permission: PERMISSION[service] ?? 'the permission to write',
    now,
  })
  if (cause instanceof AuthError || cause instanceof RemoteConfigError) {
    if (status === 413) return { fate: 'split', ...found }
    if (status === 400 || status === 422) {
      // A refusal that names the settings is one; any other may be about this one object.
      if (
        cause instanceof RemoteConfigError &&
        !/^(?:InvalidBucketName|IllegalLocation|AuthorizationHeaderMalformed)/.test(code)
      )
        return { fate: 'split', ...found }
    }
    if (cause instanceof RemoteConfigError && status !== undefined && RETRIED.has(status))
      return { fate: 'retry', ...found, ...wait }
    const message = `stream ${stream}: ${cause.message}`
    const details = { cause: error, hint: cause.hint, service, ...(status === undefined ? {} : { status }) }
    const stop =
      cause instanceof AuthError ? new AuthError(message, details) : new RemoteConfigError(message, details)
    return { fate: 'retry', ...found, stop }
  }
  if (status === 429) return { fate: 'retry', ...found, ...wait }
  if (status === 404) {
    const details = {
      cause: error,
      hint: 'check the bucket or container, its region and the endpoint',
      service,
      status,
    }
    return { fate: 'retry', ...found, stop: new RemoteConfigError(`stream ${stream}: ${reason}`, details) }
  }
  return nothingSent(problem) ? { fate: 'retry', ...found, ...wait } : { fate: 'unknown', ...found, ...wait }
}

const PERMISSION: Readonly<Record<string, string>> = {
  S3: 's3:PutObject and s3:GetObject on the objects (and kms:GenerateDataKey where a customer key encrypts them)',
  'Google Cloud Storage': 'storage.objects.create and storage.objects.get',
  'Azure Blob Storage': 'the role Storage Blob Data Contributor',
}

/** Refusals that prove that nothing was stored and may pass another time. */
const RETRIED = new Set([402, 409, 412, 423, 425, 429, 431])

/** Joins what became of the objects of a batch; the first that is not a plain yes gives the words. */
export function joinReceipt(
  parts: readonly { readonly judgement: Judgement; readonly positions: readonly number[] }[],
): Receipt {
  const of = (fate: Fate): Positions =>
    rangesOf(parts.filter(({ judgement }) => judgement.fate === fate).flatMap(({ positions }) => positions))
  const worst =
    parts.find(({ judgement }) => judgement.stop !== undefined) ??
    parts.find(({ judgement }) => judgement.fate !== 'accepted') ??
    parts[0]
  const { code = 'empty', reason = 'nothing to write', retryAfterMs, stop } = worst?.judgement ?? {}
  return {
    accepted: of('accepted'),
    unverified: of('unverified'),
    retry: of('retry'),
    split: of('split'),
    unknown: of('unknown'),
    code,
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(stop === undefined ? {} : { stop }),
  }
}

function rangesOf(positions: readonly number[]): Positions {
  const ranges: [number, number][] = []
  for (const position of positions.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last?.[1] === position) last[1] = position + 1
    else ranges.push([position, position + 1])
  }
  return ranges
}
