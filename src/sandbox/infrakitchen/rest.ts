import type { Exchange } from '../listen.ts'
import { selectLines } from './exec-logs.ts'
import { ApiError, UUID_COLUMNS } from './filter.ts'
import { nativeRow } from './rows.ts'
import { checkSort } from './store.ts'
import type { World } from './world.ts'

const PARAMETERS = ['filter', 'range', 'sort', 'fields']
const DEFAULT_ROWS = 100
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The REST routes under `/api/audit_logs` and `/api/logs`, for a caller who may read. @throws ApiError */
export function serveRest(world: World, exchange: Exchange) {
  const { path } = exchange
  if (path === '/api/audit_logs') return listEntries(world, exchange)
  if (path === '/api/logs') return listLines(world, exchange)
  if (path === '/api/audit_logs/actions') return exchange.reply(200, world.store.actions)
  const [, id = ''] = /^\/api\/audit_logs\/([^/]+)$/.exec(path) ?? []
  if (id === '') return exchange.reply(404, { detail: 'Not Found' })
  world.violate('single-entry-route', 'an unknown id is a 500 here')
  if (!UUID.test(id)) throw new ApiError(world.release.version === '0.1.0' ? 500 : 400, `Invalid UUID: ${id}`)
  const row = world.store.find(id)
  if (row === undefined) throw new ApiError(500, 'Internal server error')
  exchange.reply(200, nativeRow(row, world.release, world.zone))
}

function listEntries(world: World, exchange: Exchange) {
  const { store, release, zone } = world
  const { filter, range, sort } = parametersOf(world, exchange)
  const [start, end] = range
  const cap = world.mode('cap', 100) ?? Number.POSITIVE_INFINITY
  const { refs, total } = store.select({ filter, sort, start, end: Math.min(end, start + cap) })
  if (end - start === 1) world.probes += 1
  const rows = refs.map((ref) => {
    const row = store.row(ref)
    return row.raw ?? JSON.stringify(nativeRow(row, release, zone))
  })
  reply(world, exchange, 'audit_logs', rows, total)
}

function listLines(world: World, exchange: Exchange) {
  const { filter, range } = parametersOf(world, exchange)
  const { lines, total } = selectLines(world.store, filter, range, world.release)
  const texts = lines.map((line) => JSON.stringify(line))
  reply(world, exchange, 'logs', texts, total)
}

/** The first number is always 0, and the second the count of rows, whatever was asked for. */
function reply(world: World, exchange: Exchange, unit: string, rows: readonly string[], total: number): void {
  const hidden = world.mode('no-content-range', 1) !== undefined
  const text = `[${rows.join(',')}]`
  const body = world.take('truncate') === undefined ? text : text.slice(0, text.length / 2)
  exchange.reply(200, body, {
    'content-type': 'application/json',
    ...(hidden ? {} : { 'content-range': `${unit} 0-${rows.length}/${total}` }),
  })
}

function parametersOf(world: World, exchange: Exchange) {
  for (const name of exchange.query.keys())
    if (!PARAMETERS.includes(name)) world.violate('parameter-unknown', name)
  const json = (name: string): unknown => {
    const text = exchange.query.get(name)
    if (text === null) return undefined
    try {
      return JSON.parse(text)
    } catch {
      throw new ApiError(400, 'Invalid query parameter format')
    }
  }
  return judged(world, json('filter'), json('sort'), json('range'))
}

/** The three parameters as both generations take them, and what a careful client never sends. @throws ApiError */
export function judged(world: World, filter: unknown, sort: unknown, range: unknown) {
  if (sort === undefined || sort === null) world.violate('sort-missing', 'without one the database decides')
  if (range === undefined || range === null) world.violate('range-missing', 'the server gives 100 rows')
  if (range !== undefined && range !== null && !Array.isArray(range))
    throw new ApiError(400, `'${typeof range === 'number' ? 'int' : typeof range}' object is not iterable`)
  if (Array.isArray(range) && range.length === 1)
    throw new ApiError(400, 'not enough values to unpack (expected 2, got 1)')
  const [start, end] = Array.isArray(range) && range.length >= 2 ? range.map(Number) : [0, DEFAULT_ROWS]
  const conditions = (filter ?? {}) as Readonly<Record<string, unknown>>
  for (const [key, value] of Object.entries(conditions)) {
    const values = Array.isArray(value) ? value : [value]
    if (UUID_COLUMNS.has(key) && values.some((one) => !UUID.test(String(one))))
      world.violate('id-malformed', key)
    if (key.startsWith('created_at')) world.violate('time-filter', key)
  }
  return {
    filter: conditions,
    sort: checkSort(sort ?? undefined, world.release.version),
    range: [start ?? 0, end ?? DEFAULT_ROWS] as const,
  }
}
