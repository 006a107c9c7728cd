import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import type { Exchange } from '../listen.ts'

const EMAIL = 'audit@sandbox-project.iam.gserviceaccount.com'
const KEY_ID = 'sandbox-key-1'
const SCOPE =
  /(?:^| )https:\/\/www\.googleapis\.com\/auth\/(?:devstorage\.(?:read_write|full_control)|cloud-platform)(?: |$)/
const MAX_LIFE_S = 3600
/** The audience that Google's own libraries name, wherever they ask. */
const GOOGLE = 'https://oauth2.googleapis.com/token'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** A service account's key file, and the endpoint that gives tokens for what is signed with it. */
export type TokenEndpoint = {
  /** Text of the key file; `tokenUrl` is where `serve` answers. */
  keyFile(tokenUrl: string): string
  serve(exchange: Exchange, tokenUrl: string): void
}

/**
 * @param token what it hands out
 * @source https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export function tokenEndpoint(token: string, now: () => number): TokenEndpoint {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const check = (form: URLSearchParams, tokenUrl: string): string | undefined => {
    if (form.get('grant_type') !== GRANT) return 'unsupported_grant_type'
    const [head = '', body = '', signature = '', ...more] = (form.get('assertion') ?? '').split('.')
    const signed = Buffer.from(`${head}.${body}`)
    const key = createPublicKey(publicKey)
    if (more.length > 0 || !verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url')))
      return 'invalid_grant'
    const { alg, kid } = read(head)
    const { iss, aud, scope, iat, exp } = read(body)
    const seconds = now() / 1000
    const isTimely =
      typeof iat === 'number' && typeof exp === 'number' && iat <= seconds + 300 && exp > seconds
    if (
      alg !== 'RS256' ||
      (kid !== undefined && kid !== KEY_ID) ||
      iss !== EMAIL ||
      ![tokenUrl, GOOGLE].includes(String(aud))
    )
      return 'invalid_grant'
    if (!isTimely || Number(exp) - Number(iat) > MAX_LIFE_S) return 'invalid_grant'
    return SCOPE.test(String(scope)) ? undefined : 'invalid_scope'
  }
  return {
    keyFile: (tokenUrl) =>
      JSON.stringify({
        type: 'service_account',
        project_id: 'sandbox-project',
        private_key_id: KEY_ID,
        private_key: privateKey,
        client_email: EMAIL,
        token_uri: tokenUrl,
      }),
    serve(exchange, tokenUrl) {
      const error = check(new URLSearchParams(exchange.body.toString('utf8')), tokenUrl)
      if (error === undefined)
        exchange.reply(200, { access_token: token, token_type: 'Bearer', expires_in: MAX_LIFE_S })
      else exchange.reply(400, { error, error_description: 'Invalid JWT.' })
    },
  }
}

function read(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return {}
  }
}
