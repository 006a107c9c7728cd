import { formatDuration } from '../core/duration.ts'
import { ContractError, type RemoteDetails, UnavailableError, UserError } from '../core/errors.ts'
import { redact } from '../core/secret.ts'
import { BodyTooLargeError, BrokenEncodingError } from './decompress.ts'
import { TotalTimeoutError } from './exchange.ts'

export type FailureCode =
  | 'aborted'
  | 'connect'
  | 'decode'
  | 'dns'
  | 'invalid-request'
  | 'protocol'
  | 'proxy'
  | 'refused-address'
  | 'reset'
  | 'timeout'
  | 'tls'
  | 'too-large'

/** Who was asked what, for messages. */
export type Asked = {
  readonly service: string
  readonly operation: string
  readonly origin: string
  readonly timeoutMs: number
  readonly proxy: string | undefined
}

/** How often a failure may be met before it is believed; anything else is up to the attempt budget. */
const MAX_ATTEMPTS: Readonly<Partial<Record<FailureCode, number>>> = {
  aborted: 1,
  dns: 3,
  'invalid-request': 1,
  protocol: 1,
  'refused-address': 1,
  // Each of them has already taken the whole timeout.
  timeout: 3,
  tls: 1,
  'too-large': 1,
}

/**
 * How many attempts a failure deserves. A server that never answered in this run is more likely a wrong URL than one that restarts, so it
 * is not waited for as long.
 */
export function attemptsFor(code: FailureCode, isKnownServer: boolean, maxAttempts: number): number {
  const most = code === 'connect' && !isKnownServer ? 3 : (MAX_ATTEMPTS[code] ?? maxAttempts)
  return Math.min(most, maxAttempts)
}

/** Which kind of failure an error of undici, Node or OpenSSL means. */
export function failureCode(cause: unknown, hasStarted: boolean): FailureCode {
  if (cause instanceof BodyTooLargeError) return 'too-large'
  if (cause instanceof BrokenEncodingError) return 'decode'
  if (cause instanceof TotalTimeoutError) return 'timeout'
  if (cause instanceof UserError) return 'refused-address'
  const codes = codesOf(cause)
  const isAny = (pattern: RegExp) => codes.some((code) => pattern.test(code))
  const message = cause instanceof Error ? cause.message : ''
  if (/^Proxy (?:response|Authentication)/.test(message) || isAny(/^UND_ERR_(?:PRX|SOCKS)/)) return 'proxy'
  if (isAny(TLS_CODES)) return 'tls'
  if (isAny(/^(?:ENOTFOUND|EAI_)/)) return 'dns'
  if (isAny(/TIMEOUT|^ETIMEDOUT$/)) return 'timeout'
  if (isAny(/^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED)/)) return 'invalid-request'
  if (isAny(/^UND_ERR_(?:ABORTED|DESTROYED|CLOSED)$/)) return 'aborted'
  // undici's parser errors have no code (their table of codes has no names); only this one is about the very first bytes.
  if (/Expected HTTP\//.test(message) || isAny(/^UND_ERR_HEADERS_OVERFLOW/)) return 'protocol'
  return hasStarted ? 'reset' : 'connect'
}

const TLS_CODES =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_)/

/** The error for a request that was given up without an answer. */
export function failureError(code: FailureCode, cause: unknown, asked: Asked, attempts: number): Error {
  if (cause instanceof UserError) return cause
  const { service, operation, origin } = asked
  const times = attempts > 1 ? ` (${attempts} attempts)` : ''
  const say = (what: string) => `Could not ${operation}: ${what}${times}`
  const details = (hint: string): RemoteDetails => ({ cause, code, service, operation, attempts, hint })
  const check = `check ${origin}${asked.proxy === undefined ? '' : ` and the proxy ${asked.proxy}`}, then run auditctl doctor`
  switch (code) {
    case 'invalid-request':
      return new UserError(say(`the request to ${service} cannot be sent: ${messageOf(cause)}`), {
        cause,
        hint: 'check the configured URL, headers and credentials for line breaks and foreign characters',
      })
    case 'too-large':
    case 'decode':
      return new ContractError(say(`${service} sent an answer that cannot be used: ${messageOf(cause)}`), {
        ...details('ask for less at once; if it stays so, report it'),
      })
    case 'protocol':
      return new ContractError(say(`what answers at ${origin} does not speak HTTP: ${messageOf(cause)}`), {
        ...details('check the port, and whether the URL should begin with https or http'),
      })
    case 'tls':
      return new UnavailableError(
        say(`the TLS check of ${service} at ${origin} failed: ${messageOf(cause)}`),
        {
          ...details(tlsHint(cause)),
        },
      )
    case 'dns':
      return new UnavailableError(
        say(`the name of ${origin} is not known (${codesOf(cause)[0]})`),
        details(check),
      )
    case 'proxy':
      return new UnavailableError(
        say(`the proxy ${asked.proxy} did not let us through to ${origin}: ${messageOf(cause)}`),
        {
          ...details('check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY'),
        },
      )
    case 'timeout':
      return new UnavailableError(
        say(`${service} at ${origin} did not answer within ${formatDuration(asked.timeoutMs)}`),
        details(check),
      )
    case 'aborted':
      return new UnavailableError(say(`the connection to ${origin} was closed on our side`), details(check))
    case 'connect':
      return new UnavailableError(
        say(`${service} cannot be reached at ${origin}: ${messageOf(cause)}`),
        details(check),
      )
    default:
      return new UnavailableError(
        say(`${service} at ${origin} broke the connection off before a complete answer: ${messageOf(cause)}`),
        details(check),
      )
  }
}

function tlsHint(cause: unknown): string {
  const codes = codesOf(cause).join(' ')
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(codes)) {
    return 'the certificate must be renewed, or the clock of this machine is wrong; tls.caFile cannot help'
  }
  if (/ALTNAME|HOSTNAME_MISMATCH/.test(codes))
    return 'the certificate is for another name: check the host in the URL'
  if (/INVALID_PURPOSE/.test(codes)) return 'the certificate is not one for servers: it must be issued anew'
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(codes)) {
    return 'that port does not speak TLS: check the port, or whether the URL should begin with http'
  }
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|ALERT/.test(codes)) {
    return 'the server wants a client certificate: set tls.certFile and tls.keyFile'
  }
  return 'if the certificate is signed by an authority of your own, set tls.caFile to its PEM file'
}

/** Plain words where Node has a code only. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  EPIPE: 'connection closed',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answers does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers does not speak TLS',
  UND_ERR_SOCKET: 'connection closed',
}

function messageOf(cause: unknown): string {
  for (const code of codesOf(cause)) {
    const words = WORDS[code]
    if (words !== undefined) return words
  }
  // Node adds advice for those who start Node themselves.
  const message = (cause instanceof Error ? cause.message : String(cause)).replace(/; if the root CA .*/, '')
  return (
    redact(message.replace(/[\s\u0000-\u001f]+/g, ' ').trim()).slice(0, 200) ||
    (codesOf(cause)[0] ?? 'unknown')
  )
}

/** Codes of an error, of those it was made of and of its causes, outermost first. */
function codesOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > 4) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  const parts = error instanceof AggregateError ? error.errors : []
  return [...own, ...[...parts, error.cause].flatMap((part) => codesOf(part, depth + 1))]
}
