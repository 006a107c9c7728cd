import type { LoggedEvent } from './event-log.ts'
import type { FaultPlan } from './faults.ts'
import type { Exchange, Handler } from './listen.ts'

export type HeldIdsParts = {
  readonly service: string
  readonly faults: FaultPlan
  readonly log: readonly LoggedEvent[]
  readonly now: () => number
  /** The whole `Authorization` header. */
  readonly authorization: string
  readonly pageRows: number
}

export const HELD_IDS_FAULT_KINDS = [
  '503',
  'busy',
  'reset',
  'slow',
  'html',
  'cut',
  'repeat',
  'foreign',
  'shape',
  'partial',
  'no-id',
].map((kind) => `inventory-${kind}`)

/**
 * `GET ?from=&to=&cursor=` (the end outside): `{"items":[{"id","createdAt"}],"next":cursor|null}`; with a path ending in `.jsonl` the whole
 * window as an inventory file with its header line.
 * Faults: `inventory-503`, `inventory-busy=SECONDS`, `inventory-reset`, `inventory-slow=MS`, and, spoiling one answer, `inventory-html`, `inventory-cut`,
 * `inventory-repeat` (of a second page), `inventory-foreign`, `inventory-shape`, `inventory-partial`, `inventory-no-id`.
 */
export function heldIdsRoute(parts: HeldIdsParts): Handler {
  let requests = 0
  return async (exchange) => {
    requests += 1
    const isDue = (kind: string) => parts.faults.take(parts.service, `inventory-${kind}`, requests)
    if (exchange.method !== 'GET') return exchange.reply(405, { error: 'only GET' })
    if (exchange.headers.authorization !== parts.authorization) {
      return exchange.reply(401, { error: 'unknown credentials' })
    }
    const [from, to] = ['from', 'to'].map((name) => Date.parse(exchange.query.get(name) ?? ''))
    if (!Number.isFinite(from) || !Number.isFinite(to)) {
      return exchange.reply(400, { error: 'from and to must be ISO 8601 times' })
    }
    if (isDue('503')) return exchange.reply(503, { error: 'not now' })
    const busy = isDue('busy')
    if (busy !== undefined) {
      return exchange.reply(429, { error: 'slow down' }, { 'retry-after': busy.value ?? '1' })
    }
    if (isDue('reset')) return exchange.reset()
    if (isDue('html')) return exchange.reply(200, '<html><body>Sign in</body></html>')
    const slow = isDue('slow')
    if (slow !== undefined) await new Promise((done) => setTimeout(done, Number(slow.value ?? 500)))
    const rows = parts.log
      .filter(({ id, atMs, visibleAt }) => {
        return id !== undefined && atMs >= (from ?? 0) && atMs < (to ?? 0) && visibleAt <= parts.now()
      })
      .map(({ id, atMs }) => ({ id, createdAt: new Date(atMs).toISOString() }))
    if (exchange.path.endsWith('.jsonl')) return replyFile(exchange, rows)
    replyPage(exchange, rows, parts.pageRows, isDue)
  }
}

function replyPage(
  exchange: Exchange,
  rows: readonly object[],
  pageRows: number,
  isDue: (kind: string) => unknown,
): void {
  const cursor = exchange.query.get('cursor')
  const at = cursor === null ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
  if (!Number.isInteger(at) || at < 0) {
    exchange.reply(400, { error: 'unknown cursor' })
    return
  }
  const cursorOf = (offset: number) => Buffer.from(String(offset)).toString('base64url')
  const page: Record<string, unknown> = {
    items: rows.slice(at, at + pageRows),
    next: at + pageRows < rows.length ? cursorOf(at + pageRows) : null,
  }
  if (cursor !== null && isDue('repeat')) page['next'] = cursor
  if (isDue('foreign')) page['next'] = 'https://elsewhere.invalid/ids'
  if (isDue('shape')) delete page['items']
  if (isDue('partial')) Object.assign(page, { items: [], next: null, complete: false })
  if (isDue('no-id')) page['items'] = rows.map(() => ({ name: 'an event without its id' }))
  const text = JSON.stringify(page)
  exchange.reply(200, isDue('cut') ? text.slice(0, text.length >> 1) : text, {
    'content-type': 'application/json',
  })
}

function replyFile(exchange: Exchange, rows: readonly object[]): void {
  const [from, to] = [exchange.query.get('from'), exchange.query.get('to')]
  const head = `# auditctl-inventory v1 from=${from} to=${to} count=${rows.length}\n`
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  exchange.reply(200, head + lines, { 'content-type': 'application/x-ndjson' })
}
