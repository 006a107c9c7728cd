import type { Exchange } from '../listen.ts'
import { type Facts, microsOf } from './entries.ts'
import { type Headers, refuse, sendText } from './reply.ts'
import { envelopeOf, renamed, type Variant } from './shapes.ts'
import type { Query } from './store.ts'
import type { World } from './world.ts'

export const FILTERS = [
  'action',
  'identity_id',
  'identity_type',
  'path_prefix',
  'success',
  'source_ip',
  'request_id',
] as const
const PARAMETERS: readonly string[] = ['from', 'to', 'limit', 'cursor', ...FILTERS]
const MOST_ROWS = 1000

type Cursor = { readonly id: number; readonly at: number; readonly key: string; readonly epoch: number }

/** Which cursors still hold. */
export type Cursors = { epoch: number }

/** `GET /v1/audit/logs`, and the trails, whose `fixed` part of the question stands in the path. */
export function listEntries(
  world: World,
  exchange: Exchange,
  headers: Headers,
  cursors: Cursors,
  fixed: {
    readonly matches?: (facts: Facts) => boolean
    readonly around?: Readonly<Record<string, unknown>>
  } = {},
) {
  const { query } = exchange
  const bad = (field: string, message: string) =>
    refuse(exchange, headers, 422, 'validation_error', message, { fields: { [field]: message } })
  for (const name of query.keys()) if (!PARAMETERS.includes(name)) world.violate('parameter-unknown', name)
  const refusedParam = world.mode('refuse-param', 'path_prefix')
  if (refusedParam !== undefined && query.has(refusedParam)) return bad(refusedParam, 'is not supported')

  const limit = Number(query.get('limit') ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ROWS) {
    world.violate('limit', String(query.get('limit')))
    return bad('limit', 'must be between 1 and 1000')
  }
  const [fromText, toText] = [query.get('from'), query.get('to')]
  if (fromText === null || toText === null)
    world.violate('window-open', 'both bounds belong to every question')
  const [fromUs, toUs] = [
    microsOf(fromText ?? '1970-01-01T00:00:00Z'),
    microsOf(toText ?? '2999-01-01T00:00:00Z'),
  ]
  if (fromUs === undefined) return bad('from', 'is not an ISO 8601 time')
  if (toUs === undefined) return bad('to', 'is not an ISO 8601 time')
  const success = query.get('success')
  if (success !== null && success !== 'true' && success !== 'false')
    return bad('success', 'must be true or false')

  const isOpenClosed = world.mode('bounds', 'open-closed') !== undefined
  const test = filterOf(query)
  const asked: Query = {
    fromUs: isOpenClosed ? fromUs + 1 : fromUs,
    toUs: isOpenClosed ? toUs + 1 : toUs,
    matches: (facts) => test(facts) && (fixed.matches?.(facts) ?? true),
  }
  const key = JSON.stringify([exchange.path, fromText, toText, ...FILTERS.map((name) => query.get(name))])
  const cursor = readCursor(world, query.get('cursor'), cursors)
  if (cursor === 'invalid')
    return refuse(exchange, headers, 400, 'invalid_cursor', 'The cursor is malformed or has expired.')
  if (cursor !== undefined && cursor.key !== key) world.violate('filters-changed', 'while paging')

  const isDescending = world.mode('order', 'asc') === undefined
  const { found, hasMore } = world.store.page(asked, cursor?.id, limit, isDescending)
  const last = found.at(-1)
  const next =
    hasMore && last !== undefined
      ? writeCursor(world, world.mode('loop', '') === undefined ? last : (cursor?.id ?? last), key, cursors)
      : null
  const variant = world.mode('shape', 'items') as Variant | undefined
  const texts = found.map((sequence) => renamed(world.store.text(sequence), variant))
  const shown = world.take('lost-cursor') === undefined ? next : null
  sendText(world, exchange, envelopeOf(texts, shown, hasMore, variant, fixed.around ?? {}), headers)
}

/** @returns a test for the documented filters */
export function filterOf(query: URLSearchParams): (facts: Facts) => boolean {
  const tests: ((facts: Facts) => boolean)[] = []
  const equal = (name: string, get: (facts: Facts) => unknown): void => {
    const value = query.get(name)
    if (value !== null) tests.push((facts) => get(facts) === value)
  }
  const actions = query.get('action')?.split(',')
  if (actions !== undefined) tests.push((facts) => actions.includes(facts.action))
  const prefix = query.get('path_prefix')
  if (prefix !== null) tests.push((facts) => facts.secretPath?.startsWith(prefix) === true)
  equal('identity_id', (facts) => facts.identityId)
  equal('identity_type', (facts) => facts.identityType)
  equal('source_ip', (facts) => facts.sourceIp)
  equal('request_id', (facts) => facts.requestId)
  equal('success', (facts) => String(facts.success))
  return (facts) => tests.every((matches) => matches(facts))
}

function writeCursor(world: World, id: number, key: string, { epoch }: Cursors): string {
  const cursor: Cursor = { id, at: world.options.now(), key, epoch }
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor(world: World, text: string | null, cursors: Cursors): Cursor | 'invalid' | undefined {
  if (text === null) return undefined
  if (world.take('cursor-expire') !== undefined) cursors.epoch += 1
  let cursor: Cursor
  try {
    cursor = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    world.violate('cursor-malformed', text.slice(0, 40))
    return 'invalid'
  }
  const ttl = world.mode('cursor-ttl', '60')
  const isOld = ttl !== undefined && world.options.now() - cursor.at > Number(ttl) * 1000
  return isOld || cursor.epoch !== cursors.epoch ? 'invalid' : cursor
}
