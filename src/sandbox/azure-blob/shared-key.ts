import { createHmac } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { BlobError } from './errors.ts'

const SIGNED = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

/**
 * Checks the Shared Key authorization of a request.
 * @throws BlobError as the service answers
 * @source https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function checkSharedKey(exchange: Exchange, account: string, key: string): void {
  const { headers } = exchange
  const refuse = () =>
    new BlobError(
      403,
      'AuthenticationFailed',
      'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
    )
  if (headers['authorization'] === undefined)
    throw new BlobError(401, 'NoAuthenticationInformation', 'Server failed to authenticate the request.')
  const match = /^SharedKey ([^:]+):(.+)$/.exec(headers['authorization'])
  if (match?.[1] !== account) throw refuse()
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${String(headers[name]).trim()}`)
  const query = [...exchange.query]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `\n${name}:${value}`)
  const standard = SIGNED.map((name) => {
    const value = String(headers[name] ?? '')
    return name === 'content-length' && value === '0' ? '' : value
  })
  const text = [exchange.method, ...standard, ...own, `/${account}${exchange.path}${query.join('')}`].join(
    '\n',
  )
  if (createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64') !== match[2])
    throw refuse()
}

/** @param newest the newest version that this server knows, as an emulator that is older than the SDK @throws BlobError as the service answers */
export function checkVersion({ headers }: Exchange, newest: string | undefined): void {
  const version = String(headers['x-ms-version'] ?? '')
  if (headers['authorization'] === undefined && version === '') return
  if (!/^\d{4}-\d\d-\d\d$/.test(version) || (newest !== undefined && version > newest))
    throw new BlobError(
      400,
      'InvalidHeaderValue',
      'The value for one of the HTTP headers is not in the correct format: x-ms-version',
    )
}
