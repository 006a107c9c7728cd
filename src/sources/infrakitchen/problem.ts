import { AuthError, type RemoteDetails, RemoteError } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { NotHereError } from './backend.ts'

export const SERVICE = 'InfraKitchen'

/** The server's own words: `message` of the application, `detail` of its framework, a list of issues; empty where neither answered. */
export function wordsOf(reply: HttpReply): string {
  let body: unknown
  try {
    body = JSON.parse(reply.text())
  } catch {
    // Only words are looked for: what is not JSON has none.
    return ''
  }
  if (body === null || typeof body !== 'object') return ''
  const { message, detail } = body as { readonly message?: unknown; readonly detail?: unknown }
  const found = message ?? detail
  if (Array.isArray(found)) return clean(found.map(issueText).join('; '))
  return typeof found === 'string' ? clean(found) : ''
}

/** The reply in the brackets of a message: `(403): GET method is forbidden`. */
export function saying(reply: HttpReply): string {
  const words = wordsOf(reply)
  return `(${reply.status})${words === '' ? '' : `: ${words}`}`
}

export function clean(text: string): string {
  return redact(text.replace(/\s+/g, ' ').trim()).slice(0, 300)
}

export function detailsOf(reply: HttpReply, operation: string): RemoteDetails {
  return {
    service: SERVICE,
    operation,
    status: reply.status,
    requestId: reply.requestId,
    attempts: reply.attempts,
  }
}

/** A hand-made service account may do nothing at first. */
export const NEEDS_ROLE =
  'a service account has no role until one is assigned: give it default, or read on api:audit_log and api:log'

/** The error for a status that is no answer to the question, in either generation. @param hint for a 403 */
export function refusalOf(reply: HttpReply, operation: string, api: 'REST' | 'GraphQL', hint: string): Error {
  const { status } = reply
  const said = saying(reply)
  const details = detailsOf(reply, operation)
  if (status === 404 || status === 405 || (status >= 300 && status < 400))
    return new NotHereError(`no ${api} API ${said}`)
  if (status === 403)
    return new AuthError(`${SERVICE} does not let this user ${operation} ${said}`, { ...details, hint })
  return new RemoteError(`Could not ${operation}: ${SERVICE} refused the request ${said}`, {
    ...details,
    hint: 'if it stays so, report it with the server’s version',
  })
}

/** A web page where JSON was asked for: the app's own front page, a proxy, a log-in. */
export function isMarkup(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => byte > 0x20)
  return first === 0x3c
}

function issueText(issue: unknown): string {
  if (issue === null || typeof issue !== 'object') return String(issue)
  const { loc, msg } = issue as { readonly loc?: unknown; readonly msg?: unknown }
  return `${Array.isArray(loc) ? `${loc.join('.')}: ` : ''}${String(msg ?? '')}`
}
