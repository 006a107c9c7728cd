import { createHash, createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { UserError } from '../../core/errors.ts'
import { registerSecret } from '../../core/secret.ts'
import { type EpochMs, SECOND_MS } from '../../core/time-range.ts'
import type { BodyForm } from './options.ts'

/** The same for the same events in the same order and form, on every attempt and in every run: 32 hexadecimal digits. */
export function batchId(ids: readonly string[], form: BodyForm): string {
  const hash = createHash('sha256').update(`${form}\n`)
  for (const id of ids) hash.update(id).update('\n')
  return hash.digest('hex').slice(0, 32)
}

type Key = { readonly kind: 'hmac'; readonly bytes: Buffer } | { readonly kind: 'ed25519'; key: KeyObject }

export type Signer = (batch: {
  readonly id: string
  readonly body: Uint8Array
  readonly now: EpochMs
}) => Record<string, string>

/** DER of a PKCS #8 ed25519 key up to its 32 bytes. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Headers that sign one attempt; the id stays the same from attempt to attempt, the time does not.
 * @param secrets one or more of `whsec_…` (HMAC-SHA-256) and `whsk_…` (ed25519), separated by blanks: each signs
 * @throws UserError for a secret that is none
 * @source https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11-20)
 */
export function webhookSigner(secrets: string, origin: string): Signer {
  const keys = secrets.trim().split(/\s+/).map(keyOf)
  if (keys.includes(undefined)) {
    throw new UserError(`signing.secret (${origin}) is not a Standard Webhooks secret`, {
      hint: 'it is whsec_ and 24 to 64 random bytes in base64: echo "whsec_$(openssl rand -base64 32)"',
    })
  }
  return ({ id, body, now }) => {
    const webhookId = `msg_${id}`
    const timestamp = String(Math.floor(now / SECOND_MS))
    const content = Buffer.concat([Buffer.from(`${webhookId}.${timestamp}.`), body])
    return {
      'webhook-id': webhookId,
      'webhook-timestamp': timestamp,
      'webhook-signature': keys.flatMap((key) => (key === undefined ? [] : entry(key, content))).join(' '),
    }
  }
}

function entry(key: Key, content: Buffer): string {
  return key.kind === 'hmac'
    ? `v1,${createHmac('sha256', key.bytes).update(content).digest('base64')}`
    : `v1a,${sign(null, content, key.key).toString('base64')}`
}

function keyOf(secret: string): Key | undefined {
  const [, prefix, text = ''] = /^(whsec_|whsk_)([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
  const bytes = Buffer.from(text, 'base64')
  if (prefix !== undefined) registerSecret(text)
  if (prefix === 'whsec_')
    return bytes.length >= 24 && bytes.length <= 64 ? { kind: 'hmac', bytes } : undefined
  // Some tools write the seed alone, others the public key behind it.
  if (prefix !== 'whsk_' || (bytes.length !== 32 && bytes.length !== 64)) return undefined
  const der = Buffer.concat([ED25519_PREFIX, bytes.subarray(0, 32)])
  return { kind: 'ed25519', key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) }
}
