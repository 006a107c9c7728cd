import { type HttpReply, type HttpService, isFailure } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'

/** Waits between polls: an idle indexer needs about a second, a busy one is not to be asked more often than every 10 s. */
const POLL_WAITS_MS = [1000, 1000, 2000, 4000]
const POLL_EVERY_MS = 10_000
/** @source "About HTTP Event Collector Indexer Acknowledgment": give up after about 5 minutes */
const GIVE_UP_MS = 300_000

export type Acknowledger = {
  readonly channel: string
  /** For the next request of the channel: behind a load balancer it must reach the indexer that took the data. */
  cookies(): Record<string, string>
  /** Remembers the cookies of a reply. */
  note(reply: HttpReply): void
  /** Whether the request was acknowledged; `false` also when 300 s passed, the signal fired or polling was refused. */
  wait(ackId: number, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Waited>
}
export type Waited = { readonly acknowledged: boolean; readonly reason: string }

/** One channel of indexer acknowledgment, new for each run: a status is forgotten once it was read, so none survives a crash. */
export function createAcknowledger(service: HttpService, clock: Clock): Acknowledger {
  const channel = guid(clock)
  const jar = new Map<string, string>()

  const acknowledger: Acknowledger = {
    channel,
    cookies: () =>
      jar.size === 0 ? {} : { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    note(reply) {
      for (const [name, value] of cookiesOf(reply.headers['set-cookie'])) jar.set(name, value)
    },
    async wait(ackId, headers, signal) {
      const started = clock.monotonic()
      for (let poll = 0; clock.monotonic() - started < GIVE_UP_MS; poll += 1) {
        try {
          await clock.sleep(POLL_WAITS_MS[poll] ?? POLL_EVERY_MS, signal)
        } catch {
          return { acknowledged: false, reason: 'interrupted before the indexer acknowledged' }
        }
        const answer = await service
          .attempt({
            method: 'POST',
            path: '/services/collector/ack',
            query: { channel },
            headers: { ...headers, ...acknowledger.cookies() },
            body: JSON.stringify({ acks: [ackId] }),
            operation: 'ask for acknowledgments',
            signal,
          })
          .catch(() => undefined)
        if (answer === undefined)
          return { acknowledged: false, reason: 'interrupted before the indexer acknowledged' }
        if (isFailure(answer)) continue
        acknowledger.note(answer)
        if (answer.status === 200 && isTrue(answer, ackId))
          return { acknowledged: true, reason: 'acknowledged' }
        if (answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429) {
          return {
            acknowledged: false,
            reason: `asking for the acknowledgment was answered ${answer.status}`,
          }
        }
      }
      return { acknowledged: false, reason: `not acknowledged within ${GIVE_UP_MS / 1000} s` }
    },
  }
  return acknowledger
}

function isTrue(reply: HttpReply, ackId: number): boolean {
  try {
    const body = reply.json() as { acks?: Record<string, unknown> } | null
    return body?.acks?.[String(ackId)] === true
  } catch {
    return false
  }
}

function cookiesOf(header: string | undefined): [name: string, value: string][] {
  // Several cookies arrive joined by commas, and `Expires` holds a comma of its own.
  return (header ?? '').split(/,\s*(?=[^;,=\s]+=)/).flatMap((cookie) => {
    const [, name, value] = /^\s*([^=;,\s]+)=([^;]*)/.exec(cookie) ?? []
    return name === undefined || value === undefined ? [] : [[name, value.trim()] as [string, string]]
  })
}

/** A version 4 GUID from the run's own dice. */
function guid(clock: Clock): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(clock.random() * 16).toString(16))
  hex[12] = '4'
  hex[16] = ['8', '9', 'a', 'b'][Math.floor(clock.random() * 4)] ?? '8'
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
