import { createHmac } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { BlobError } from './errors.ts'

/** Parameters of an account SAS in the order of its string to sign; `sv` may end it, from 2020-12-06 on `ses` follows. */
const SIGNED = ['sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv']
const SCOPE_SINCE = '2020-12-06'

export function hasSas({ query, headers }: Exchange): boolean {
  return headers['authorization'] === undefined && query.has('sig')
}

/**
 * Checks the account SAS of a request: its signature, that it is in force, and that it allows what is asked.
 * @throws BlobError as the service answers
 * @source https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 */
export function checkSas({ query, method }: Exchange, account: string, key: string, now: number): void {
  const of = (name: string) => query.get(name) ?? ''
  const fields = SIGNED.map(of)
  if (of('sv') >= SCOPE_SINCE) fields.push(of('ses'))
  const text = `${[account, ...fields].join('\n')}\n`
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
  if (signature !== of('sig') || !of('ss').includes('b')) throw refused('AuthenticationFailed')
  const [start, end] = [of('st'), of('se')].map((time) => (time === '' ? Number.NaN : Date.parse(time)))
  if (now < (start ?? 0) || !(now < (end ?? 0))) throw refused('AuthenticationFailed')
  const isList = of('comp') === 'list'
  if (!of('srt').includes(isList ? 'c' : 'o')) throw refused('AuthorizationResourceTypeMismatch')
  // Creating takes `c`, or `w`, which also overwrites.
  const allowed = method === 'PUT' ? ['c', 'w'] : method === 'DELETE' ? ['d'] : [isList ? 'l' : 'r']
  if (!allowed.some((permission) => of('sp').includes(permission)))
    throw refused('AuthorizationPermissionMismatch')
}

function refused(code: string): BlobError {
  return new BlobError(
    403,
    code,
    'This request is not authorized to perform this operation using this permission.',
  )
}
