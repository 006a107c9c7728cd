import { AuthError, RemoteConfigError, type RemoteDetails } from '../../core/errors.ts'
import { type HttpReply, isFailure, type StreamReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import type { TimeRange } from '../../core/time-range.ts'
import type { InventoryParts } from '../define-inventory.ts'
import type { SplunkSearchSettings } from './options.ts'
import { seconds } from './spl.ts'

/** For a whole answer; between two pieces of it the client waits no longer than it does for anybody. */
const SEARCH_TIMEOUT_MS = 600_000
const EXPORTS = ['/services/search/v2/jobs/export', '/services/search/jobs/export']

/** Splunk refused to run the search as it is written. */
export class RefusedSearch extends RemoteConfigError {}

export type SearchClient = {
  /**
   * The body of an export over rows that Splunk dates inside the range.
   * @throws AuthError, RefusedSearch, RemoteConfigError; what the client throws when attempts end
   */
  search(text: string, range: TimeRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Undefined when the user may not know, or there is none. */
  retentionSeconds(index: string, signal: AbortSignal): Promise<number | undefined>
  searches(): number
}

/** The management port. One search at a time: a role may run three at once, and people search too. */
export function createSearchClient(
  name: string,
  settings: SplunkSearchSettings,
  search: NonNullable<SplunkSearchSettings['search']>,
  parts: InventoryParts,
): SearchClient {
  const service = parts.http.service({
    service: 'Splunk search',
    baseUrl: search.url.replace(/\/(?:services\/?.*)?$/s, ''),
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
    rate: settings.rate,
  })
  let paths = EXPORTS
  let searches = 0
  const headers = async () => ({ authorization: `Bearer ${await search.token.reveal()}` })

  async function open(path: string, text: string, range: TimeRange, signal: AbortSignal) {
    searches += 1
    return service.stream({
      method: 'POST',
      path,
      headers: { ...(await headers()), 'content-type': 'application/x-www-form-urlencoded' },
      // Never in the search text too: the text would win in silence.
      body: new URLSearchParams({
        search: text,
        earliest_time: seconds(range.from, Math.floor),
        latest_time: seconds(range.to, Math.ceil),
        output_mode: 'json',
        preview: 'false',
        adhoc_search_level: 'fast',
        segmentation: 'none',
      }).toString(),
      operation: 'search what Splunk holds',
      timeoutMs: SEARCH_TIMEOUT_MS,
      signal,
    })
  }

  return {
    searches: () => searches,
    async search(text, range, signal) {
      for (const path of paths) {
        const answer = await open(path, text, range, signal)
        if ('body' in answer && answer.status === 200) {
          paths = [path]
          return answer.body
        }
        if (answer.status === 404 && path !== paths.at(-1)) continue
        throw refusal(answer, name, search.token.origin)
      }
      throw new RemoteConfigError(`stream ${name}: Splunk has no export of searches`)
    },
    async retentionSeconds(index, signal) {
      // Worth one attempt: everything works without it.
      const reply = await service.attempt({
        method: 'GET',
        path: `/services/data/indexes/${encodeURIComponent(index)}`,
        query: { output_mode: 'json' },
        headers: await headers(),
        operation: 'read how long the index keeps events',
        signal,
      })
      if (isFailure(reply) || reply.status !== 200) return undefined
      const [, found] = /"frozenTimePeriodInSecs"\s*:\s*"?(\d+)/.exec(reply.text()) ?? []
      return found === undefined ? undefined : Number(found)
    },
  }
}

function refusal(answer: StreamReply | HttpReply, name: string, origin: string): Error {
  const said = 'text' in answer ? messageOf(answer) : ''
  const message = `stream ${name}: Splunk search answered ${answer.status}${said === '' ? '' : `: ${said}`}`
  const details: RemoteDetails = {
    service: 'Splunk search',
    operation: 'search what Splunk holds',
    status: answer.status,
    requestId: answer.requestId,
  }
  if (answer.status === 401 || answer.status === 403) {
    return new AuthError(message, {
      ...details,
      hint: `check search.token (${origin}): a token of Settings > Tokens whose role may search the index; a HEC token cannot search`,
    })
  }
  if (answer.status === 400)
    return new RefusedSearch(message, {
      ...details,
      hint: 'check index, source, sourcetype and idField of the stream',
    })
  return new RemoteConfigError(message, {
    ...details,
    hint: 'search.url must lead to the management port (8089); on Splunk Cloud it has to be opened first',
  })
}

function messageOf(reply: HttpReply): string {
  try {
    const { messages } = reply.json() as { messages?: { text?: unknown }[] }
    return redact((messages ?? []).map((message) => String(message.text)).join('; '))
  } catch {
    return redact(
      reply
        .text()
        .replace(/[\s\p{C}]+/gu, ' ')
        .slice(0, 160),
    )
  }
}
