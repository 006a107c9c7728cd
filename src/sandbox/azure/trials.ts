import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this Azure. */
export function azureTrials(
  stream: JsonObject & { readonly clientSecret: string },
): NonNullable<SandboxService['trials']> {
  const refused = { ...stream, clientSecret: 'refused~client~secret~0123456789abcdefgh' }
  return {
    receiver: {
      secrets: [stream.clientSecret, 'sandbox-token-'],
      refused,
      misconfigured: { ...stream, ruleId: 'dcr-ffffffffffffffffffffffffffffffff' },
      variants: [{ title: 'gzip', settings: { ...stream, compress: 'gzip' } }],
      faults: {
        throttled: 'azure:throttle=2',
        resetBefore: 'azure:reset-before',
        resetAfter: 'azure:reset-after',
        errorAfter: 'azure:error-after',
        proxyPage: 'azure:html-200',
        slow: 'azure:slow=30000',
      },
      status: (code) => `azure:status=${code}`,
      poison: (id) => `azure:poison=${id}`,
    },
    search: {
      secrets: [stream.clientSecret, 'sandbox-token-'],
      refused,
      partial: ['azure:query-partial', 'azure:query-204', 'azure:query-empty', 'azure:query-timeout'],
      harmless: [
        'azure:query-busy=1',
        'azure:query-unavailable',
        'azure:query-reset',
        'azure:query-token-expires',
        'azure:query-slow=20',
      ],
      unavailable: 'azure:query-unavailablex*',
      indexDelay: (ms) => `azure:index-delay=${ms}`,
    },
  }
}
