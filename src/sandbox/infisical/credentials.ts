import { createHmac } from 'node:crypto'
import { uuidOf } from './hash.ts'

/** Who may log in to the sandbox. Throwaway values, the same in every sandbox. */
export type Identity = {
  readonly role: 'reader' | 'no-access' | 'project-only'
  readonly identityId: string
  readonly clientId: string
  readonly clientSecret: string
}

export const IDENTITIES: readonly Identity[] = (['reader', 'no-access', 'project-only'] as const).map(
  (role, index) => ({
    role,
    identityId: uuidOf(7, index),
    clientId: uuidOf(8, index),
    clientSecret: `sandbox-${role}-secret-0123456789abcdef`,
  }),
)

export const READER = IDENTITIES[0] as Identity

const KEY = 'sandbox'

/** A JSON Web Token as the server signs it for a machine identity. */
export function signToken(payload: Readonly<Record<string, unknown>>): string {
  const head = [{ alg: 'HS256', typ: 'JWT' }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${head}.${createHmac('sha256', KEY).update(head).digest('base64url')}`
}

/** What a token says, or why it is none. */
export function readToken(token: string): { readonly tokenId: string } | { readonly refusal: string } {
  if (token === '') return { refusal: 'jwt must be provided' }
  const parts = token.split('.')
  const [head = '', payload = '', signature = ''] = parts
  let claims: { readonly identityAccessTokenId?: unknown }
  try {
    JSON.parse(Buffer.from(head, 'base64url').toString('utf8'))
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  } catch {
    return { refusal: MALFORMED }
  }
  if (parts.length !== 3) return { refusal: MALFORMED }
  if (createHmac('sha256', KEY).update(`${head}.${payload}`).digest('base64url') !== signature) {
    return { refusal: 'invalid signature' }
  }
  return { tokenId: String(claims.identityAccessTokenId) }
}

const MALFORMED =
  'The provided access token is malformed. Please use a valid token or generate a new one and try again.'
