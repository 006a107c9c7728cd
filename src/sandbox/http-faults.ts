import type { IncomingMessage } from 'node:http'
import type { FaultPlan } from './faults.ts'
import type { Exchange } from './listen.ts'
import { pause } from './pause.ts'

/**
 * Faults of a receiver that has no words of its own; `@N` counts its requests with events.
 * Nothing stored: `reset-before`, `throttle=SECONDS`, `status=CODE[/RETRY-AFTER]`, `redirect[=URL]`, `html-200`, and for ever unless counted `poison=TEXT`
 * (400 while the body holds it). Stored: `slow=MS`, `error-after`, `timeout-after` (408), `reset-after`, `cut` (a broken answer).
 * In part: `drop` (answered as if stored), `lose=N` and `duplicate=N` (the first N of the request).
 */
export type HttpFaults = {
  /** Answers in place of the receiver; true when it did. */
  before(exchange: Exchange, body: Buffer): boolean
  /** Which of the request's rows are kept, and how often. */
  kept<Row>(rows: readonly Row[]): readonly Row[]
  /** Spoils the answer after rows were stored; true when it did. */
  after(exchange: Exchange): Promise<boolean>
}

export const HTTP_FAULT_KINDS = [
  'reset-before',
  'throttle',
  'status',
  'redirect',
  'html-200',
  'poison',
  'slow',
  'error-after',
  'timeout-after',
  'reset-after',
  'cut',
  'drop',
  'lose',
  'duplicate',
] as const

export function httpFaults(plan: FaultPlan, service: string, request: number): HttpFaults {
  const take = (kind: string) => plan.take(service, kind, request)
  const isDue = (kind: string) => take(kind) !== undefined
  return {
    before(exchange, body) {
      if (isDue('reset-before')) {
        exchange.reset()
        return true
      }
      const throttle = take('throttle')
      const [code, retryAfter] = take('status')?.value?.split('/') ?? []
      const redirect = take('redirect')
      if (throttle !== undefined) {
        exchange.reply(429, 'Too Many Requests', { 'retry-after': throttle.value ?? '1' })
      } else if (redirect !== undefined) {
        exchange.reply(307, '', { location: redirect.value ?? 'https://elsewhere.invalid/' })
      } else if (isDue('html-200')) {
        exchange.reply(200, '<!doctype html><html><body>Sign in to the proxy</body></html>', {
          'content-type': 'text/html; charset=utf-8',
        })
      } else if (code !== undefined) {
        exchange.reply(Number(code) || 500, '', retryAfter === undefined ? {} : { 'retry-after': retryAfter })
      } else if (isPoisoned(plan, service, request, body)) {
        exchange.reply(400, 'Bad Request')
      } else return false
      return true
    },
    kept(rows) {
      if (isDue('drop')) return []
      const lose = Number(take('lose')?.value ?? 0)
      const again = Number(take('duplicate')?.value ?? 0)
      return [...rows.slice(lose), ...rows.slice(0, again)]
    },
    async after(exchange) {
      const slow = take('slow')
      if (slow !== undefined) await pause(exchange, Number(slow.value ?? 500))
      if (isDue('error-after')) exchange.reply(500, 'Internal Server Error')
      else if (isDue('timeout-after')) exchange.reply(408, 'Request Timeout')
      else if (isDue('reset-after')) exchange.reset()
      else if (isDue('cut')) {
        exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 })
        exchange.response.write('{', () => exchange.reset())
      } else return false
      return true
    },
  }
}

/** `reset-early`: the connection breaks while the body is still arriving. For `listen`'s `early`. */
export function resetEarly(
  plan: FaultPlan,
  service: string,
  request: IncomingMessage,
  next: number,
): boolean {
  if (request.method !== 'POST' || plan.take(service, 'reset-early', next) === undefined) return false
  request.on('error', () => {})
  request.once('data', () => request.socket.resetAndDestroy())
  return true
}

function isPoisoned(plan: FaultPlan, service: string, request: number, body: Buffer): boolean {
  return plan
    .list()
    .some(
      (fault) =>
        fault.service === service &&
        fault.kind === 'poison' &&
        request >= fault.from &&
        body.includes(fault.value ?? 'poison'),
    )
}
