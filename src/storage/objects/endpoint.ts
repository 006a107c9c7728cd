import { readFileSync } from 'node:fs'
import { UserError } from '../../core/errors.ts'
import type { TlsSettings } from '../../core/http.ts'
import { isLoopbackHost } from '../../http/address.ts'
import { readError } from '../disk-errors.ts'

/** @throws UserError for a plain `http:` endpoint off loopback, or one with a user in it */
export function checkedEndpoint(endpoint: string | undefined, allowInsecureHttp = false): string | undefined {
  if (endpoint === undefined) return undefined
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new UserError('endpoint must be an http or https URL without user name and password', {
      code: 'config',
    })
  }
  if (url.protocol === 'http:' && !allowInsecureHttp && !isLoopbackHost(url.hostname)) {
    throw new UserError(`${endpoint} would send credentials and events in the clear`, {
      hint: 'use https, or set "allowInsecureHttp": true',
      code: 'insecure-http',
    })
  }
  return endpoint.replace(/\/+$/, '')
}

/** What Node's agents take. @throws UserError when a file cannot be read */
export function agentOptions(tls: TlsSettings | undefined): Record<string, unknown> {
  if (tls === undefined) return {}
  const file = (path: string | undefined, key: string) => {
    if (path === undefined) return {}
    try {
      return { [key]: readFileSync(path) }
    } catch (error) {
      throw readError(error, path)
    }
  }
  return {
    ...file(tls.caFile, 'ca'),
    ...file(tls.certFile, 'cert'),
    ...file(tls.keyFile, 'key'),
    ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  }
}
