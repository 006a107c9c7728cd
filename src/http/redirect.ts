import { RemoteConfigError } from '../core/errors.ts'
import type { HttpReply } from '../core/http.ts'

const REDIRECTS: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308])

/** 304 is an answer of its own. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status)
}

/** Words for an answer that points elsewhere: it is never followed, since that would show our credentials to whoever is named there. */
export function redirectRefusal(
  reply: Pick<HttpReply, 'status' | 'headers' | 'requestId'>,
  asked: { readonly service: string; readonly operation: string; readonly url: string },
): RemoteConfigError {
  const location = reply.headers['location'] ?? ''
  const target =
    location !== '' && URL.canParse(location, asked.url) ? new URL(location, asked.url) : undefined
  const place = target === undefined ? 'nowhere' : `${target.origin}${target.pathname}`
  return new RemoteConfigError(
    `${asked.service} redirects to ${place} (${reply.status}); redirects are never followed with credentials`,
    {
      code: 'redirect',
      service: asked.service,
      operation: asked.operation,
      status: reply.status,
      requestId: reply.requestId,
      hint:
        target === undefined
          ? `check the URL ${new URL(asked.url).origin}`
          : `if that is the right server, set the URL to ${target.origin}`,
    },
  )
}
