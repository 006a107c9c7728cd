/** What the planner does next; decided where the reply is read. */
export type Reaction = 'retry' | 'split-window' | 'restart-window' | 'give-up'

/** Exit codes of the contract, section 6. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  answerIsNo: 3,
  notDelivered: 4,
  auth: 5,
  remote: 6,
  unresolved: 7,
  locked: 75,
  deadline: 124,
  sigint: 130,
  sigterm: 143,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export type ErrorDetails = {
  readonly hint?: string | undefined
  readonly cause?: unknown
  readonly code?: string | undefined
}

/** An error whose words are meant for the user. `code` is a stable word for scripts. */
export abstract class AuditctlError extends Error {
  abstract readonly exitCode: ExitCode
  readonly hint: string | undefined
  readonly code: string

  constructor(message: string, details: ErrorDetails, code: string) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.hint = details.hint
    this.code = details.code ?? code
  }
}

/** A flag, the configuration, a missing secret, a file in the way, or a guard that refused. */
export class UserError extends AuditctlError {
  override readonly name = 'UserError'
  readonly exitCode = EXIT.usage
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details, 'usage')
  }
}

/** Another run holds the source and stream pair, or the export target. */
export class LockedError extends AuditctlError {
  override readonly name = 'LockedError'
  readonly exitCode = EXIT.locked
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details, 'locked')
  }
}

/** The local disk, full or failing in mid-run. What was recorded before is intact and the run can be resumed. */
export class LocalError extends AuditctlError {
  override readonly name = 'LocalError'
  readonly exitCode = EXIT.remote
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details, 'local-storage')
  }
}

/** `--deadline` was reached, or a signal arrived; the work recorded so far can be resumed. */
export class InterruptedError extends AuditctlError {
  override readonly name = 'InterruptedError'
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: 124 | 130 | 143, details: ErrorDetails = {}) {
    super(message, details, exitCode === EXIT.deadline ? 'deadline' : 'interrupted')
    this.exitCode = exitCode
  }
}

export type RemoteDetails = ErrorDetails & {
  readonly reaction?: Reaction
  readonly service?: string
  readonly operation?: string
  readonly status?: number
  readonly requestId?: string | undefined
  readonly attempts?: number
  readonly retryAfterMs?: number | undefined
}

/** The other side, after retries. */
export class RemoteError extends AuditctlError {
  override readonly name: string = 'RemoteError'
  readonly exitCode: ExitCode = EXIT.remote
  readonly reaction: Reaction
  readonly service: string | undefined
  readonly operation: string | undefined
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly attempts: number
  readonly retryAfterMs: number | undefined

  constructor(message: string, details: RemoteDetails = {}, code = 'remote') {
    super(message, details, code)
    this.reaction = details.reaction ?? 'give-up'
    this.service = details.service
    this.operation = details.operation
    this.status = details.status
    this.requestId = details.requestId
    this.attempts = details.attempts ?? 1
    this.retryAfterMs = details.retryAfterMs
  }
}

/** The credential was refused or has expired, or a permission is missing, in the vendor's spelling. */
export class AuthError extends RemoteError {
  override readonly name = 'AuthError'
  override readonly exitCode = EXIT.auth
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'auth')
  }
}

/** Told to slow down until the budget was spent. */
export class RateLimitError extends RemoteError {
  override readonly name = 'RateLimitError'
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'rate-limit')
  }
}

/** Network, timeout, 5xx. */
export class UnavailableError extends RemoteError {
  override readonly name = 'UnavailableError'
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'unavailable')
  }
}

/** A reply that breaks its documented shape. */
export class ContractError extends RemoteError {
  override readonly name = 'ContractError'
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'contract')
  }
}

/** A source slice or an inventory that could not be shown complete: never read as "nothing found". */
export class IncompleteError extends RemoteError {
  override readonly name = 'IncompleteError'
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'incomplete')
  }
}

/** The remote refuses the configuration: unknown index, table, dataset or path. Exit 2 if nothing was delivered, else 6. */
export class RemoteConfigError extends RemoteError {
  override readonly name = 'RemoteConfigError'
  override readonly exitCode = EXIT.usage
  constructor(message: string, details: RemoteDetails = {}) {
    super(message, details, 'remote-config')
  }
}
