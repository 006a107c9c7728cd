import { UserError } from '../core/errors.ts'
import type { HttpRequest, ServiceSettings } from '../core/http.ts'
import { isLoopbackHost } from './address.ts'
import { sameOrigin } from './next-link.ts'

/**
 * The base URL of a service, after the checks that need no network.
 * @throws UserError for what is not an http(s) URL, holds a user name or password, or would send credentials in the clear
 */
export function checkedBase(settings: ServiceSettings): URL {
  const { service, baseUrl } = settings
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    // Not shown: what is no URL may be a secret in the wrong place.
    throw new UserError(`the URL of ${service} is not an http or https URL`, {
      hint: 'write it like https://example.com',
    })
  }
  if (url.username !== '' || url.password !== '') {
    throw new UserError(`the URL of ${service} holds a user name or password`, {
      hint: 'take them out of the URL and use the credential settings or a header',
    })
  }
  if (url.protocol === 'http:' && settings.allowInsecureHttp !== true && !isLoopbackHost(url.hostname)) {
    throw new UserError(`${service} at ${url.origin} would be spoken to without encryption`, {
      hint: 'use https, or set "allowInsecureHttp": true if the network in between is yours',
    })
  }
  return url
}

/**
 * The request's URL: its path added to the base URL's path, or its own absolute URL.
 * @throws ContractError for an absolute URL of another origin
 */
export function targetUrl(base: URL, request: Pick<HttpRequest, 'path' | 'query'>): URL {
  const isAbsolute = /^https?:\/\//i.test(request.path)
  const url = isAbsolute
    ? new URL(sameOrigin(request.path, base))
    : new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}${request.path}`)
  const queries = [isAbsolute ? '' : base.search.slice(1), url.search.slice(1), encodedQuery(request.query)]
  url.search = queries.filter((part) => part !== '').join('&')
  return url
}

function encodedQuery(query: HttpRequest['query']): string {
  if (query === undefined) return ''
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.append(name, String(value))
  // A plus is a space in forms only; `%20` is one everywhere.
  return parameters.toString().replaceAll('+', '%20')
}
