import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this Datadog. */
export function datadogTrials(
  stream: JsonObject & { readonly apiKey: string; readonly appKey: string; readonly intakeUrl: string },
): NonNullable<SandboxService['trials']> {
  return {
    receiver: {
      secrets: [stream.apiKey, stream.appKey],
      refused: { ...stream, apiKey: 'ffffffffffffffffffffffffffffffff' },
      misconfigured: { ...stream, intakeUrl: `${stream.intakeUrl}/elsewhere` },
      variants: [{ title: 'gzip', settings: { ...stream, compress: 'gzip' } }],
      faults: {
        throttled: 'datadog:throttle=2',
        resetBefore: 'datadog:reset-before',
        resetAfter: 'datadog:reset-after',
        errorAfter: 'datadog:error-after',
        proxyPage: 'datadog:html-200',
        slow: 'datadog:slow=30000',
      },
      status: (code) => `datadog:status=${code}`,
      poison: (id) => `datadog:poison=${id}`,
    },
    search: {
      secrets: [stream.apiKey, stream.appKey],
      refused: { ...stream, appKey: 'refused-application-key' },
      partial: ['datadog:search-timeout', 'datadog:search-warnings', 'datadog:search-repeat'],
      harmless: [
        'datadog:search-busy=1',
        'datadog:search-unavailable',
        'datadog:search-reset',
        'datadog:search-slow=20',
      ],
      unavailable: 'datadog:search-unavailablex*',
      indexDelay: (ms) => `datadog:index-delay=${ms}`,
    },
  }
}
