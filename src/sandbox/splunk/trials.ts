import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this Splunk. */
export function splunkTrials(
  stream: JsonObject & { readonly token: string; readonly search: JsonObject },
  tokens: { readonly ack: string; readonly disabled: string },
): NonNullable<SandboxService['trials']> {
  return {
    receiver: {
      secrets: [stream.token],
      refused: { ...stream, token: '5ab0feed-0000-4000-8000-00000bad70ce' },
      misconfigured: { ...stream, index: 'no-such-index' },
      variants: [
        { title: 'acknowledge', settings: { ...stream, token: tokens.ack, acknowledge: true } },
        { title: 'gzip', settings: { ...stream, compress: 'gzip' } },
      ],
      faults: {
        throttled: 'splunk:throttle=2',
        resetBefore: 'splunk:reset-before',
        resetAfter: 'splunk:reset-after',
        errorAfter: 'splunk:error-after',
        proxyPage: 'splunk:html-200',
        slow: 'splunk:slow=30000',
      },
      status: (code) => `splunk:status=${code}`,
      poison: (id) => `splunk:poison=${id}`,
    },
    search: {
      secrets: [String(stream.search['token'])],
      refused: { ...stream, search: { ...stream.search, token: 'refused-search-token' } },
      partial: [
        'splunk:search-fatal=0',
        'splunk:search-fatal=3',
        'splunk:search-cut=0',
        'splunk:search-cut=3',
        'splunk:search-reset=3',
        'splunk:search-warn',
        'splunk:search-html',
        'splunk:search-empty',
        'splunk:search-emptyx2',
      ],
      harmless: ['splunk:search-preview', 'splunk:search-503', 'splunk:search-slow=20'],
      unavailable: 'splunk:search-503x*',
      indexDelay: (ms) => `splunk:index-delay=${ms}`,
    },
  }
}
