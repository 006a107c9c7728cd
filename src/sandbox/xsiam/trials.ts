import type { JsonObject } from '../../core/event.ts'
import type { SandboxService } from '../service.ts'

/** What the contract suites do to this XSIAM. */
export function xsiamTrials(
  stream: JsonObject & { readonly token: string; readonly url: string; readonly search: JsonObject },
): NonNullable<SandboxService['trials']> {
  const key = String(stream.search['key'])
  return {
    receiver: {
      secrets: [stream.token, key],
      refused: { ...stream, token: 'refused-collector-key-000000' },
      misconfigured: { ...stream, url: `${stream.url}/elsewhere` },
      faults: {
        throttled: 'xsiam:throttle=2',
        resetBefore: 'xsiam:reset-before',
        resetAfter: 'xsiam:reset-after',
        errorAfter: 'xsiam:error-after',
        proxyPage: 'xsiam:html-200',
        slow: 'xsiam:slow=30000',
      },
      status: (code) => `xsiam:status=${code}`,
    },
    search: {
      secrets: [stream.token, key],
      refused: { ...stream, search: { ...stream.search, key: 'refused-api-key-0000' } },
      partial: [
        'xsiam:xql-fail',
        'xsiam:xql-partial',
        'xsiam:xql-short=3',
        'xsiam:xql-short=0',
        'xsiam:xql-html',
        'xsiam:xql-pending',
      ],
      harmless: [
        'xsiam:xql-busyx3',
        'xsiam:xql-503',
        'xsiam:xql-500',
        'xsiam:xql-reset',
        'xsiam:xql-slow=20',
        'xsiam:xql-stream',
      ],
      unavailable: 'xsiam:xql-503x*',
      indexDelay: (ms) => `xsiam:index-delay=${ms}`,
    },
  }
}
