import type { RemoteDetails } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'

export const SERVICE = 'ScaiVault'

/** The body of a refusal: `{"error":{"code","message","details","request_id"}}`; OAuth's own where the log-in answers. */
export type Problem = {
  readonly code: string
  readonly message: string
  /** Of a `validation_error`: the parameters that were refused. */
  readonly fields: readonly string[]
  readonly requestId: string | undefined
}

export function problemOf(reply: Pick<HttpReply, 'text' | 'requestId'>): Problem {
  let body: unknown
  try {
    body = JSON.parse(reply.text())
  } catch {
    // Only words are looked for: what is not JSON has none.
  }
  const error = part(body, 'error')
  if (typeof error === 'string') {
    return {
      code: error,
      message: words(part(body, 'error_description')),
      fields: [],
      requestId: reply.requestId,
    }
  }
  const fields = part(part(error, 'details'), 'fields')
  return {
    code: words(part(error, 'code')),
    message: words(part(error, 'message')) || words(part(body, 'message')) || words(part(body, 'detail')),
    fields: namesOf(fields),
    requestId: words(part(error, 'request_id')) || reply.requestId,
  }
}

/** The reply in the brackets of a message: `(403 insufficient_scope, request req_1): …`. */
export function saying(reply: HttpReply, problem: Problem): string {
  const code = problem.code === '' ? '' : ` ${problem.code}`
  const request = problem.requestId === undefined ? '' : `, request ${problem.requestId}`
  return `(${reply.status}${code}${request})${problem.message === '' ? '' : `: ${problem.message}`}`
}

export function detailsOf(reply: HttpReply, problem: Problem, operation: string): RemoteDetails {
  return {
    service: SERVICE,
    operation,
    status: reply.status,
    requestId: problem.requestId,
    attempts: reply.attempts,
    code: problem.code === '' ? undefined : problem.code,
  }
}

/** An object by field, a list of names, or a list of objects that name one. */
function namesOf(fields: unknown): readonly string[] {
  if (Array.isArray(fields)) {
    return fields.map((field: unknown) =>
      typeof field === 'string' ? field : words(part(field, 'field') ?? part(field, 'name')),
    )
  }
  return fields !== null && typeof fields === 'object' ? Object.keys(fields) : []
}

function part(value: unknown, key: string): unknown {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
}

function words(value: unknown): string {
  return typeof value === 'string' ? redact(value.replace(/\s+/g, ' ').trim()).slice(0, 300) : ''
}
