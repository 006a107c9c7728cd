import type { JsonObject } from '../../core/event.ts'
import type { ReceiverTrials, SearchTrials } from '../service.ts'

/** The faults of an object store by what they mean; `service` is its name in `--fault`. */
export function storeTrials(
  service: string,
  stream: JsonObject,
  secrets: readonly string[],
  refused: JsonObject,
  misconfigured: JsonObject,
): { readonly receiver: ReceiverTrials; readonly search: SearchTrials } {
  return {
    receiver: {
      secrets,
      refused,
      misconfigured,
      variants: [
        { title: 'zstd', settings: { ...stream, compress: 'zstd' } },
        { title: 'plain', settings: { ...stream, compress: 'none' } },
        { title: 'flat', settings: { ...stream, layout: 'flat', prefix: 'flat' } },
        { title: 'CircleCI’s layout', settings: { ...stream, layout: 'circleci', prefix: 'circleci' } },
      ],
      faults: {
        throttled: `${service}:status=429+2`,
        resetBefore: `${service}:reset-before`,
        resetAfter: `${service}:reset-after`,
        errorAfter: `${service}:error-after`,
        proxyPage: `${service}:proxy-page`,
        slow: `${service}:slow`,
      },
      status: (code) => `${service}:status=${code}`,
    },
    search: {
      secrets,
      refused,
      partial: [`${service}:damaged`, `${service}:cut-body`, `${service}:lost-token`],
      harmless: [
        `${service}:slow-down`,
        `${service}:status=500`,
        `${service}:reset-before`,
        `${service}:cut-bodyx1`,
      ],
      unavailable: `${service}:statusx*=503`,
    },
  }
}
