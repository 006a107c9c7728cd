/** What `src/http` offers to the rooms above it, typed here so that they can be tested without it. */

export type TlsSettings = {
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
}

/** One far side: what it is called in messages, and how to reach it. */
export type ServiceSettings = {
  /** In messages: `Infisical`, `Splunk HEC`. */
  readonly service: string
  /** Base URL. Paths of requests are added to its path; a request can never leave its origin. */
  readonly baseUrl: string
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
  /** Requests a second, at most. */
  readonly rate?: number | undefined
  /** Resolves when the turn of the next attempt has come, repeated ones included; in the place of `rate`. */
  readonly pace?: ((signal: AbortSignal) => Promise<void>) | undefined
  readonly timeoutMs?: number | undefined
}

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Begins with `/` and is added to the base URL's path, or is an absolute URL of the same origin. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Compress the body with gzip level 1, in a pool thread. */
  readonly gzip?: boolean
  /** In messages: `read the audit log`. */
  readonly operation: string
  readonly signal: AbortSignal
  readonly timeoutMs?: number
  /** Default 64 MiB; a larger answer is a ContractError. Counted after decompression. */
  readonly maxResponseBytes?: number
}

export type HttpReply = {
  readonly status: number
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly requestId: string | undefined
  /** How many attempts were made, this one included. */
  readonly attempts: number
  /** The server's clock by its Date header, minus ours, in ms. */
  readonly clockSkewMs: number | undefined
  text(): string
  /** @throws ContractError when it is not JSON (HTML from a proxy, a cut body), saying what it was instead */
  json(): unknown
}

/** Why there was no reply, and whether the far side may have acted on the request all the same. */
export type HttpFailure = {
  readonly kind: 'failure'
  /** `connect`, `tls`, `dns`, `proxy`, `refused-address`, `invalid-request`, `timeout`, `reset`, `protocol`, `decode`, `too-large`, `aborted`. */
  readonly code: string
  /** True when no byte of the body had left, so nothing can have been stored. */
  readonly nothingSent: boolean
  readonly error: Error
}

export type StreamReply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

export type RetryPolicy = {
  /** Beyond the defaults (429, 408, 5xx and network failures): statuses to take as an answer at once. */
  readonly neverRetry?: readonly number[]
  readonly maxAttempts?: number
}

export interface HttpService {
  /**
   * For reads and log-ins that may be repeated: one retry loop with full jitter, a cap, an attempt budget, `Retry-After`, and pacing by
   * `x-ratelimit-*` shared by all workers of the process. Resolves with any answer that is not worth retrying, 4xx included.
   * @throws UnavailableError, RateLimitError when the attempts end; the signal's reason when aborted
   */
  request(request: HttpRequest, policy?: RetryPolicy): Promise<HttpReply>
  /** Exactly one attempt, for deliveries: what happened is a value. Throws nothing but the signal's reason before anything was sent. */
  attempt(request: HttpRequest): Promise<HttpReply | HttpFailure>
  /** Like `request`, but the body of a 2xx is handed over as it arrives; a failing body throws from the iteration. Other statuses are read whole. */
  stream(request: HttpRequest, policy?: RetryPolicy): Promise<StreamReply | HttpReply>
  /** Requests made so far. */
  requests(): number
}

export interface HttpClient {
  /** @throws UserError for a plain `http:` URL off loopback without `allowInsecureHttp`, user info in the URL, or a bad TLS file */
  service(settings: ServiceSettings): HttpService
  close(): Promise<void>
}

export function isFailure(answer: HttpReply | HttpFailure): answer is HttpFailure {
  return 'kind' in answer && answer.kind === 'failure'
}
