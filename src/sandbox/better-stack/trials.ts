import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this Better Stack. */
export function betterStackTrials(
  stream: JsonObject & { readonly token: string; readonly url: string; readonly search: JsonObject },
): NonNullable<SandboxService['trials']> {
  const password = String(stream.search['password'])
  return {
    receiver: {
      secrets: [stream.token, password],
      refused: { ...stream, token: 'refusedSourceToken000000' },
      misconfigured: { ...stream, url: `${stream.url}/elsewhere` },
      variants: [{ title: 'gzip', settings: { ...stream, compress: 'gzip' } }],
      faults: {
        throttled: 'better-stack:throttle=2',
        resetBefore: 'better-stack:reset-before',
        resetAfter: 'better-stack:reset-after',
        errorAfter: 'better-stack:error-after',
        proxyPage: 'better-stack:html-200',
        slow: 'better-stack:slow=30000',
      },
      status: (code) => `better-stack:status=${code}`,
      poison: (id) => `better-stack:poison=${id}`,
    },
    search: {
      secrets: [stream.token, password],
      refused: { ...stream, search: { ...stream.search, password: 'refused-sql-password' } },
      partial: [
        'better-stack:sql-exception=0',
        'better-stack:sql-exception=3',
        'better-stack:sql-cut=0',
        'better-stack:sql-cut-mid',
        'better-stack:sql-repeat',
        'better-stack:sql-empty',
        'better-stack:sql-html',
        'better-stack:sql-memory',
        'better-stack:sql-timeout',
        'better-stack:hot-gone',
      ],
      // A page that was cut between two rows is gone on from.
      harmless: [
        'better-stack:sql-cut=3',
        'better-stack:sql-busy',
        'better-stack:sql-503',
        'better-stack:sql-reset',
        'better-stack:sql-slow=20',
      ],
      unavailable: 'better-stack:sql-503x*',
      indexDelay: (ms) => `better-stack:index-delay=${ms}`,
    },
  }
}
