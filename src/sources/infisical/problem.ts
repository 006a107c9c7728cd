import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'

/** One complaint of the server's validation. */
export type Issue = {
  readonly path: readonly string[]
  readonly message: string
  readonly maximum: number | undefined
  /** The value complained of, where the server repeats it. */
  readonly received: string | undefined
}

/** The body that the server sends with every refusal; empty words where a proxy or a router answered in its place. */
export type Problem = {
  /** `PermissionDenied`, `TokenError`, …; sometimes a sentence. */
  readonly error: string
  readonly message: string
  /** Of a 422. */
  readonly issues: readonly Issue[]
  readonly requestId: string | undefined
}

export function problemOf(reply: HttpReply): Problem {
  const body = parsed(reply)
  const error = wordsOf(body['error'])
  const list = body['message']
  const issues = Array.isArray(list) ? list.map(issueOf) : []
  const message =
    issues.length > 0
      ? issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
      : wordsOf(list)
  return { error, message, issues, requestId: wordsOf(body['reqId']) || reply.requestId }
}

/** The reply in the brackets of a message: `403 PermissionDenied, request req-x: You are not allowed to …`. */
export function saying(reply: HttpReply, problem: Problem): string {
  const request = problem.requestId === undefined ? '' : `, request ${problem.requestId}`
  const words = [problem.message, problem.error].find((text) => text !== '') ?? ''
  const kind = problem.error === words || /\s/.test(problem.error) ? '' : ` ${problem.error}`
  return `(${reply.status}${kind}${request})${words === '' ? '' : `: ${words}`}`
}

/** An expired, malformed or foreign token is a 403 of its own kind here; a spent one is a 401. */
export function isTokenRefused(reply: HttpReply): boolean {
  return reply.status === 401 || (reply.status === 403 && problemOf(reply).error === 'TokenError')
}

type Body = { readonly [key: string]: unknown }

function parsed(reply: HttpReply): Body {
  try {
    const body: unknown = JSON.parse(reply.text())
    return body !== null && typeof body === 'object' ? (body as Body) : {}
  } catch {
    // Only words are looked for: what is not JSON has none.
    return {}
  }
}

function issueOf(value: unknown): Issue {
  const issue = value !== null && typeof value === 'object' ? (value as Body) : {}
  const path = Array.isArray(issue['path']) ? issue['path'].map(String) : []
  const maximum = typeof issue['maximum'] === 'number' ? issue['maximum'] : undefined
  // Older words of the same: a message that lists every value it would have taken, the refused one last.
  const said = typeof issue['message'] === 'string' ? /received '([^']*)'$/.exec(issue['message'])?.[1] : ''
  const received = wordsOf(issue['received']) || wordsOf(said) || undefined
  return { path, message: wordsOf(issue['message']), maximum, received }
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? redact(value.replace(/\s+/g, ' ').trim()).slice(0, 300) : ''
}
