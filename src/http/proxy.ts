import { UserError } from '../core/errors.ts'
import { registerSecret } from '../core/secret.ts'
import { bareHost, isLoopbackHost } from './address.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for a target by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, lower case first; undefined to connect directly.
 * Loopback is always reached directly: a proxy would look for it on its own machine.
 * @throws UserError for a value that is not a proxy's URL, naming the variable
 */
export function proxyFor(target: URL, env: Environment): URL | undefined {
  if (isLoopbackHost(target.hostname)) return undefined
  const names = target.protocol === 'https:' ? ['https_proxy', 'all_proxy'] : ['http_proxy', 'all_proxy']
  for (const name of names.flatMap((lower) => [lower, lower.toUpperCase()])) {
    const value = env[name]?.trim() ?? ''
    if (value === '') continue
    return isExempt(target, env['no_proxy'] ?? env['NO_PROXY'] ?? '') ? undefined : proxyUrl(value, name)
  }
  return undefined
}

/** `NO_PROXY`: `*`, or names with their subdomains (`example.com`, `.example.com`, `*.example.com`), addresses, each with a port or without. */
function isExempt(target: URL, list: string): boolean {
  const host = bareHost(target.hostname).toLowerCase()
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '') return false
    if (entry === '*') return true
    const [, bracketed, named, entryPort] =
      /^(?:\[([^\]]*)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
    if (entryPort !== undefined && entryPort !== port) return false
    const name = bareHost((bracketed ?? named ?? '').replace(/^\*?\./, ''))
    return name !== '' && (host === name || host.endsWith(`.${name}`))
  })
}

function proxyUrl(value: string, variable: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text.replace(/^socks5h?:/i, 'socks5:')) : undefined
  if (url === undefined || url.hostname === '' || !/^(?:https?|socks5?):$/.test(url.protocol)) {
    throw new UserError(`${variable} is not the URL of a proxy`, {
      hint: 'write it like http://proxy.example.com:3128 (http, https or socks5)',
    })
  }
  registerSecret(decodeURIComponent(url.password))
  return url
}
