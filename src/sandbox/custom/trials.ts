import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this receiver, and to the address of its ids. */
export function customTrials(
  stream: JsonObject & { readonly inventory: JsonObject },
  base: string,
  secrets: { readonly authorization: string; readonly signingSecret: string },
): NonNullable<SandboxService['trials']> {
  const wrong = { Authorization: 'Bearer refused-hook-credential-0123456789' }
  const signing = { secret: secrets.signingSecret }
  return {
    receiver: {
      secrets: [secrets.authorization, secrets.authorization.replace('Bearer ', ''), secrets.signingSecret],
      refused: { ...stream, headers: wrong },
      misconfigured: { ...stream, url: `${base}/nowhere` },
      variants: [
        { title: 'ndjson', settings: { ...stream, url: `${base}/ndjson`, format: 'ndjson' } },
        { title: 'gzip', settings: { ...stream, compress: 'gzip' } },
        { title: 'signed', settings: { ...stream, url: `${base}/signed`, signing } },
        { title: 'idempotency key', settings: { ...stream, idempotencyKey: true } },
        { title: 'expect', settings: { ...stream, expect: { pointer: '/accepted' } } },
      ],
      faults: {
        throttled: 'custom:throttle=2',
        resetBefore: 'custom:reset-before',
        resetAfter: 'custom:reset-after',
        errorAfter: 'custom:error-after',
        proxyPage: 'custom:html-200',
        slow: 'custom:slow=30000',
      },
      status: (code) => `custom:status=${code}`,
      poison: (id) => `custom:poison=${id}`,
    },
    search: {
      secrets: [secrets.authorization, secrets.authorization.replace('Bearer ', '')],
      refused: { ...stream, inventory: { ...stream.inventory, headers: wrong } },
      partial: ['html', 'cut', 'repeat', 'foreign', 'shape', 'partial', 'no-id'].map(
        (kind) => `custom:inventory-${kind}`,
      ),
      harmless: ['503', 'busy=1', 'reset', 'slow=20'].map((kind) => `custom:inventory-${kind}`),
      unavailable: 'custom:inventory-503x*',
      indexDelay: (ms) => `custom:index-delay=${ms}`,
    },
  }
}
