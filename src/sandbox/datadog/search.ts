import { createHash } from 'node:crypto'
import type { JsonObject } from '../../core/event.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange } from '../listen.ts'
import { aggregate } from './aggregate.ts'
import { compileQuery, QuerySyntaxError, type RowTest } from './query.ts'
import type { DatadogRow } from './row.ts'
import type { DatadogSettings, DatadogStore } from './store.ts'

export type SearchParts = {
  readonly settings: DatadogSettings
  readonly store: DatadogStore
  readonly faults: FaultPlan
  readonly now: () => number
}

/** What a filter object asks for, checked. */
export type Selection = {
  readonly test: RowTest
  readonly from: number
  readonly to: number
  readonly tier: string
}

export class BadRequest extends Error {}

/** The API host: key check, events search, aggregate, behind one rate limit an organisation. */
export function searchApi(parts: SearchParts): (exchange: Exchange) => Promise<void> {
  const quota = { used: 0, resetAt: 0 }
  return async (exchange) => {
    const { settings, faults, now } = parts
    const due = (kind: string) => faults.take('datadog', kind, exchange.index)
    const slow = due('search-slow')
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow.value ?? 500)))
    if (due('search-reset') !== undefined) return exchange.reset()
    const apiKey = exchange.headers['dd-api-key']
    if (exchange.method === 'GET' && exchange.path === '/api/v1/validate') {
      if (settings.apiKeys.has(String(apiKey))) return exchange.reply(200, { valid: true })
      return exchange.reply(403, { errors: ['Forbidden'] })
    }
    const answer = ROUTES[exchange.path]
    if (answer === undefined) return exchange.reply(404, { errors: ['Not found'] })
    if (exchange.method !== 'POST') return exchange.reply(405, { errors: ['Method not allowed'] })
    const appKey = exchange.headers['dd-application-key']
    if (apiKey === undefined || appKey === undefined) return exchange.reply(401, { errors: ['Unauthorized'] })
    const isKnown = settings.apiKeys.has(String(apiKey)) && settings.appKeys.has(String(appKey))
    if (!isKnown || due('search-forbidden') !== undefined)
      return exchange.reply(403, { errors: ['Forbidden'] })

    if (now() >= quota.resetAt) {
      quota.used = 0
      quota.resetAt = now() + settings.rateLimit.periodSeconds * 1000
    }
    const isOver = quota.used >= settings.rateLimit.limit
    if (!isOver) quota.used += 1
    const headers = rateHeaders(settings, quota, now())
    if (isOver) return exchange.reply(429, { errors: ['Rate limit exceeded'] }, headers)
    const busy = due('search-busy')
    if (busy !== undefined) {
      const reset: Record<string, string> =
        busy.value === undefined ? {} : { 'x-ratelimit-reset': busy.value }
      return exchange.reply(
        429,
        { errors: ['Too many requests'] },
        { ...headers, 'x-ratelimit-remaining': '0', ...reset },
      )
    }
    if (due('search-unavailable') !== undefined)
      return exchange.reply(503, { errors: ['Unavailable'] }, headers)

    if (due('search-html') !== undefined)
      return exchange.reply(200, '<html>proxy</html>', { 'content-type': 'text/html' })
    try {
      const body = parseBody(exchange.body)
      exchange.reply(200, answer(body, parts, exchange), headers)
    } catch (error) {
      if (!(error instanceof BadRequest || error instanceof QuerySyntaxError)) throw error
      exchange.reply(400, { errors: [error.message] }, headers)
    }
  }
}

const ROUTES: Readonly<
  Record<string, ((body: JsonObject, parts: SearchParts, exchange: Exchange) => JsonObject) | undefined>
> = {
  '/api/v2/logs/events/search': search,
  '/api/v2/logs/analytics/aggregate': (body, parts, exchange) => aggregate(body, parts, exchange.index),
}

function search(body: JsonObject, parts: SearchParts, exchange: Exchange): JsonObject {
  onlyKeys(body, ['filter', 'sort', 'page', 'options'])
  const selection = selectionOf(body['filter'], parts.now())
  const sort = body['sort'] ?? '-timestamp'
  if (sort !== 'timestamp' && sort !== '-timestamp')
    throw new BadRequest('sort must be timestamp or -timestamp')
  const page = (body['page'] ?? {}) as JsonObject
  onlyKeys(page, ['limit', 'cursor'])
  const limit = page['limit'] ?? 10
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new BadRequest('page.limit must be between 1 and 1000')
  }
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([body['filter'], sort]))
    .digest('base64url')
    .slice(0, 12)
  const start = page['cursor'] === undefined ? undefined : readCursor(page['cursor'], fingerprint)
  const due = (kind: string) => parts.faults.take('datadog', kind, exchange.index)
  const hidden = parts.faults.standing('datadog', 'restricted', exchange.index)
  const isRepeated = page['cursor'] !== undefined && due('search-repeat') !== undefined
  const found = scan(parts.store.sorted(), selection, {
    descending: sort === '-timestamp',
    start,
    isRepeated,
    limit,
    now: parts.now(),
  })
  // A restriction query hides rows without a word.
  const rows = hidden === undefined ? found : found.filter((row) => row.seq % Number(hidden.value ?? 2) !== 0)
  const last = found.at(-1)
  if (last === undefined) return { data: [] }
  const after = isRepeated ? page['cursor'] : writeCursor(last, fingerprint)
  return {
    data: rows.map(shown),
    links: { next: `https://api.invalid/api/v2/logs/events?page[cursor]=${after}` },
    meta: {
      elapsed: 1,
      page: { after },
      request_id: `req-${exchange.index}`,
      ...partialMeta(parts, 'search', exchange.index),
    },
  }
}

/** Whole, unless the faults `<kind>-timeout` or `<kind>-warnings` are due: an answer then says of itself, with a 200, that it is partial. */
export function partialMeta({ faults }: SearchParts, kind: string, request: number): JsonObject {
  const isDue = (fault: string) => faults.take('datadog', fault, request) !== undefined
  const warning = { code: 'partial', title: 'Some shards did not answer', detail: 'partial result' }
  return {
    status: isDue(`${kind}-timeout`) ? 'timeout' : 'done',
    ...(isDue(`${kind}-warnings`) ? { warnings: [warning] } : {}),
  }
}

/** The rows of a page in time order, read from the sorted store without copying it. */
function scan(
  rows: readonly DatadogRow[],
  { test, from, to, tier }: Selection,
  options: {
    readonly descending: boolean
    readonly start: readonly [number, number] | undefined
    /** Whether the row of the cursor is given again. */
    readonly isRepeated: boolean
    readonly limit: number
    readonly now: number
  },
): DatadogRow[] {
  const found: DatadogRow[] = []
  const step = options.descending ? -1 : 1
  const [time, seq] = options.start ?? (options.descending ? [to, -1] : [from, -1])
  let at = lowerBound(rows, time, seq)
  if (options.descending) at -= 1
  else if (options.start !== undefined && !options.isRepeated) at += 1
  for (; at >= 0 && at < rows.length && found.length < options.limit; at += step) {
    const row = rows[at] as DatadogRow
    if (row.timestamp < from || row.timestamp >= to) break
    if (row.visibleAt <= options.now && row.tier === tier && test(row)) found.push(row)
  }
  return found
}

/** The first row not before (time, seq). */
export function lowerBound(rows: readonly DatadogRow[], time: number, seq: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle] as DatadogRow
    if (row.timestamp < time || (row.timestamp === time && row.seq < seq)) low = middle + 1
    else high = middle
  }
  return low
}

export function shown(row: DatadogRow): JsonObject {
  return {
    id: row.id,
    type: 'log',
    attributes: {
      timestamp: new Date(row.timestamp).toISOString(),
      host: row.host,
      service: row.service,
      status: row.status,
      message: row.message,
      tags: row.tags,
      attributes: row.attributes,
    },
  }
}

export function selectionOf(filter: unknown, now: number): Selection {
  const asked = (filter ?? {}) as JsonObject
  onlyKeys(asked, ['query', 'from', 'to', 'indexes', 'storage_tier'])
  const tier = asked['storage_tier'] ?? 'indexes'
  if (tier !== 'indexes' && tier !== 'online-archives' && tier !== 'flex')
    throw new BadRequest('unknown storage_tier')
  const indexes = asked['indexes'] ?? ['*']
  const isMain = Array.isArray(indexes) && indexes.some((index) => index === 'main' || index === '*')
  const test = compileQuery(String(asked['query'] ?? '*'))
  return {
    test: isMain ? test : () => false,
    from: instant(asked['from'] ?? 'now-15m', now),
    to: instant(asked['to'] ?? 'now', now),
    tier,
  }
}

function instant(value: unknown, now: number): number {
  const text = String(value)
  const relative = /^now(?:-(\d+)([smhd]))?$/.exec(text)
  if (relative !== null) {
    const [, amount = '0', unit = 's'] = relative
    return now - Number(amount) * ({ s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[unit] ?? 0)
  }
  if (typeof value === 'string' && /^\d{12,14}$/.test(value)) return Number(value)
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(value)) {
    const ms = Date.parse(value)
    if (!Number.isNaN(ms)) return ms
  }
  throw new BadRequest(`not a time: ${text}`)
}

export function onlyKeys(object: JsonObject, known: readonly string[]): void {
  for (const key of Object.keys(object)) if (!known.includes(key)) throw new BadRequest(`unknown key ${key}`)
}

function parseBody(body: Buffer): JsonObject {
  try {
    return JSON.parse(body.toString('utf8')) as JsonObject
  } catch {
    throw new BadRequest('the body is not JSON')
  }
}

function writeCursor(row: DatadogRow, fingerprint: string): string {
  return Buffer.from(JSON.stringify([row.timestamp, row.seq, fingerprint])).toString('base64url')
}

function readCursor(cursor: unknown, fingerprint: string): readonly [number, number] {
  try {
    const [time, seq, asked] = JSON.parse(Buffer.from(String(cursor), 'base64url').toString()) as [
      number,
      number,
      string,
    ]
    if (asked === fingerprint) return [time, seq]
  } catch {
    // Answered below, like a cursor of another query.
  }
  throw new BadRequest('the cursor does not belong to this query')
}

function rateHeaders(
  { rateLimit }: DatadogSettings,
  quota: { readonly used: number; readonly resetAt: number },
  now: number,
): Record<string, string> {
  if (!rateLimit.headers) return {}
  return {
    'x-ratelimit-limit': String(rateLimit.limit),
    'x-ratelimit-period': String(rateLimit.periodSeconds),
    'x-ratelimit-remaining': String(Math.max(0, rateLimit.limit - quota.used)),
    'x-ratelimit-reset': String(Math.max(1, Math.ceil((quota.resetAt - now) / 1000))),
    'x-ratelimit-name': 'logs_public_search_api',
  }
}
