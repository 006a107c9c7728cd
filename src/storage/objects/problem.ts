import {
  AuditctlError,
  AuthError,
  IncompleteError,
  RateLimitError,
  RemoteConfigError,
  type RemoteDetails,
  RemoteError,
  UnavailableError,
} from '../../core/errors.ts'
import { redact } from '../../core/secret.ts'
import { retryAfterMs } from '../../http/retry-delay.ts'

/** What a vendor's SDK threw, in one spelling. */
export type Problem = {
  readonly status: number | undefined
  /** The vendor's own word: `SlowDown`, `BlobAlreadyExists`; of the network `ECONNREFUSED`. */
  readonly code: string
  readonly message: string
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined
}

/** What was tried, for messages and hints. */
export type Attempted = {
  readonly service: string
  /** `list s3://acme-audit/circleci` */
  readonly operation: string
  /** The permission it takes. */
  readonly permission: string
  readonly now: number
}

// The last three: a token file that the environment names and that is not there.
const NO_CREDENTIALS =
  /CredentialsProviderError|CredentialUnavailable|AuthenticationRequired|TokenProviderError|AggregateAuthenticationError|NoCredentials|^(?:ENOENT|EISDIR|ENOTDIR)$/
// S3 answers an expired token with 400. @source AWS S3 API reference, error responses
const REFUSED =
  /^(?:ExpiredToken|ExpiredTokenException|InvalidToken|TokenRefreshRequired|InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|RequestTimeTooSkewed|InvalidIdentityToken|IDPRejectedClaim|AuthenticationFailed|AuthorizationFailure|AuthorizationPermissionMismatch|invalid_grant|unauthorized_client|invalid_client)$/i
const NO_BUCKET =
  /^(?:NoSuchBucket|ContainerNotFound|ContainerBeingDeleted|AccountIsDisabled|InvalidBucketName)$/
const WRONG_REGION = /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/
const NEVER_CONNECTED =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT|SELF_SIGNED|UNABLE_TO_/

/** Reads the errors of the three SDKs; each puts status, code and headers elsewhere. */
export function problemOf(error: unknown, now: number): Problem {
  if (error === null || typeof error !== 'object') return plain(String(error))
  const fields = error as {
    readonly name?: unknown
    readonly message?: unknown
    readonly code?: unknown
    readonly Code?: unknown
    readonly statusCode?: unknown
    readonly status?: unknown
    readonly requestId?: unknown
    readonly cause?: unknown
    readonly errors?: readonly { readonly reason?: unknown }[]
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
    readonly $response?: unknown
    readonly response?: unknown
  }
  const response = (fields.$response ?? fields.response) as { readonly headers?: unknown } | undefined
  const status = [fields.$metadata?.httpStatusCode, fields.statusCode, fields.status, fields.code]
    .map((value) => (typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value))
    .find((value): value is number => typeof value === 'number' && value >= 100 && value < 600)
  const nested = fields.cause as { readonly code?: unknown } | undefined
  const code = [fields.Code, fields.code, nested?.code, fields.errors?.[0]?.reason, fields.name].find(
    (value): value is string =>
      typeof value === 'string' && value !== '' && value !== 'Error' && !/^\d+$/.test(value),
  )
  const wait = headerOf(response?.headers, 'retry-after')
  return {
    status,
    code: code ?? (status === undefined ? 'failed' : `http-${status}`),
    message: redact(
      String(fields.message ?? '')
        .replace(/[\s\p{C}]+/gu, ' ')
        .trim()
        .slice(0, 200),
    ),
    requestId: [fields.$metadata?.requestId, fields.requestId].find(
      (id): id is string => typeof id === 'string',
    ),
    retryAfterMs: wait === undefined ? undefined : retryAfterMs(wait, { nowMs: now }),
  }
}

function plain(message: string): Problem {
  return {
    status: undefined,
    code: 'failed',
    message: redact(message),
    requestId: undefined,
    retryAfterMs: undefined,
  }
}

/** An object of lower-case names, `Headers`, or the like of it. */
function headerOf(headers: unknown, name: string): string | undefined {
  if (headers === null || typeof headers !== 'object') return undefined
  const value =
    'get' in headers && typeof headers.get === 'function'
      ? (headers.get(name) as unknown)
      : (headers as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : undefined
}

/** Whether the store cannot have seen the request's body. */
export function nothingSent({ status, code }: Problem): boolean {
  return status === undefined && (NEVER_CONNECTED.test(code) || NO_CREDENTIALS.test(code))
}

export function isRetryable({ status, code }: Problem): boolean {
  if (NO_CREDENTIALS.test(code) || REFUSED.test(code) || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return false
  if (status === undefined) return true
  return (
    status === 408 ||
    status === 429 ||
    status >= 500 ||
    (status === 409 && code === 'ConditionalRequestConflict')
  )
}

/** The error for the user. One that is ours already comes back as it is. */
export function errorOf(error: unknown, attempted: Attempted, attempts = 1): AuditctlError {
  if (error instanceof AuditctlError) return error
  const problem = problemOf(error, attempted.now)
  const { status, code, message, requestId } = problem
  const { service, operation, permission } = attempted
  const said = `${status === undefined ? code : `${status} ${code}`}${message === '' || message === code ? '' : `: ${message}`}`
  const details: RemoteDetails = {
    cause: error,
    service,
    operation,
    attempts,
    requestId,
    retryAfterMs: problem.retryAfterMs,
    ...(status === undefined ? {} : { status }),
  }
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  const text = `${service} did not ${operation}${tried} (${said})`
  if (
    NO_CREDENTIALS.test(code) ||
    /Could not load (?:the default )?credentials|Region is missing/i.test(message)
  ) {
    const hint = /Region/.test(message)
      ? 'set "region"'
      : `sign in with the vendor's own tool, or set the keys in the configuration`
    return new AuthError(`${service}: no credentials were found to ${operation} (${said})`, {
      ...details,
      hint,
    })
  }
  if (NO_BUCKET.test(code) || (status === 404 && operation.startsWith('list '))) {
    return new RemoteConfigError(text, {
      ...details,
      hint: 'check the bucket or container, its region and the endpoint',
    })
  }
  if (WRONG_REGION.test(code) || status === 301 || status === 307) {
    return new RemoteConfigError(text, {
      ...details,
      hint: 'the bucket lives in another region: set "region" to it',
    })
  }
  if (status === 401 || status === 403 || REFUSED.test(code)) {
    return new AuthError(text, {
      ...details,
      hint: `it takes ${permission}; check whose credentials are used, and that they have not expired`,
    })
  }
  if (status === 404) {
    return new IncompleteError(text, {
      ...details,
      hint: 'the object was removed while it was needed; run the command again',
    })
  }
  if (status === 429 || (status === 503 && /SlowDown|ServerBusy/.test(code)))
    return new RateLimitError(text, details)
  if (status === undefined || status === 408 || status >= 500) {
    return new UnavailableError(text, {
      ...details,
      hint: 'check the network, the endpoint and the status page of the store',
    })
  }
  if (status >= 300 && status < 500)
    return new RemoteConfigError(text, { ...details, hint: 'check the settings of the store' })
  return new RemoteError(text, details)
}

/** For an answer without what the store always says: a proxy or a login page may have given it. */
export function notTheStore(): Error {
  return Object.assign(
    new Error('the answer is not one of the store: something in between may have given it'),
    {
      code: 'not-the-store',
    },
  )
}
