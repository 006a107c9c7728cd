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

/** Where a request goes. `path` has the query in it. */
export type Target = { readonly origin: string; readonly path: string }

type Resolved = {
  readonly asked: string
  readonly origin: string
  readonly path: string
  readonly search: string
}

/**
 * Gives a request's target: its path added to the base URL's path, or its own absolute URL. The path met last is remembered, since most
 * requests differ from the one before in their query alone.
 * @throws ContractError for an absolute URL of another origin
 */
export function targetsOf(base: URL): (request: Pick<HttpRequest, 'path' | 'query'>) => Target {
  let last: Resolved | undefined
  const resolve = (asked: string): Resolved => {
    const isAbsolute = /^https?:\/\//i.test(asked)
    const url = isAbsolute
      ? new URL(sameOrigin(asked, base))
      : new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}${asked}`)
    const search = joinedQueries(isAbsolute ? '' : base.search.slice(1), url.search.slice(1))
    return { asked, origin: url.origin, path: url.pathname, search }
  }
  return ({ path, query }) => {
    const known = last?.asked === path ? last : resolve(path)
    last = known
    const search = query === undefined ? known.search : joinedQueries(known.search, encodedQuery(query))
    return { origin: known.origin, path: search === '' ? known.path : `${known.path}?${search}` }
  }
}

function joinedQueries(first: string, second: string): string {
  return first === '' || second === '' ? `${first}${second}` : `${first}&${second}`
}

function encodedQuery(query: NonNullable<HttpRequest['query']>): string {
  let text = ''
  for (const name in query) {
    const value = query[name]
    if (value === undefined) continue
    if (text !== '') text += '&'
    text += `${encoded(name)}=${encoded(String(value))}`
  }
  return text
}

/** As forms encode it, at a fraction of the cost of `URLSearchParams`; but a space is `%20`, which is one everywhere. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()~]/g, hex)
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
