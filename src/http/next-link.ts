import { ContractError } from '../core/errors.ts'

/**
 * The absolute URL of the page after this one, from a `Link` header's `rel="next"`; undefined on the last page.
 * @param pageUrl what was asked for: relative targets are resolved against it
 * @throws ContractError when the link leads to another origin, which must not be shown our credentials
 * @source RFC 8288, section 3
 */
export function nextLink(header: string | undefined, pageUrl: URL): string | undefined {
  for (const [, target = '', parameters = ''] of (header ?? '').matchAll(LINK)) {
    const [, quoted, bare] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? []
    const relations = (quoted ?? bare ?? '').toLowerCase().split(/\s+/)
    if (relations.includes('next')) return sameOrigin(target, pageUrl)
  }
  return undefined
}

const LINK = /<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]+))?)*)/g

/**
 * A target given by the far side (next link, ticket, cursor URL) as an absolute URL of the page's origin.
 * @throws ContractError when it leads elsewhere
 */
export function sameOrigin(target: string, pageUrl: URL): string {
  if (!URL.canParse(target, pageUrl.href)) {
    throw new ContractError(
      `${pageUrl.host} named a next page that is not a URL: ${JSON.stringify(target.slice(0, 100))}`,
    )
  }
  const next = new URL(target, pageUrl)
  if (next.origin !== pageUrl.origin || next.username !== '' || next.password !== '') {
    throw new ContractError(`${pageUrl.host} named a next page at another origin, ${next.origin}`, {
      code: 'foreign-link',
      hint: 'credentials are never sent there; check the server’s own public URL and any proxy in front of it',
    })
  }
  return next.href
}
