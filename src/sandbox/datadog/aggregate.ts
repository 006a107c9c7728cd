import { parseDuration } from '../../core/duration.ts'
import type { JsonObject } from '../../core/event.ts'
import { valueAt } from '../../core/filter.ts'
import type { DatadogRow } from './row.ts'
import { BadRequest, lowerBound, onlyKeys, partialMeta, type SearchParts, selectionOf } from './search.ts'

const MAX_GROUPS = 10_000
const DEFAULT_POINTS = 150

type Compute = {
  readonly aggregation: string
  readonly type: string
  readonly interval?: string
  readonly metric?: string
}

/** POST /api/v2/logs/analytics/aggregate: `count` and `cardinality`, total or as a series, grouped by one path. */
export function aggregate(body: JsonObject, parts: SearchParts, request: number): JsonObject {
  onlyKeys(body, ['compute', 'filter', 'group_by', 'options', 'page'])
  const { test, from, to, tier } = selectionOf(body['filter'], parts.now())
  const computes = (body['compute'] ?? [{ aggregation: 'count', type: 'total' }]) as readonly Compute[]
  for (const compute of computes) {
    onlyKeys(compute, ['aggregation', 'type', 'interval', 'metric'])
    if (!['count', 'cardinality'].includes(compute.aggregation)) throw new BadRequest('unknown aggregation')
    if (!['total', 'timeseries'].includes(compute.type ?? 'total'))
      throw new BadRequest('unknown compute type')
  }
  const groupBy = (body['group_by'] ?? []) as readonly { readonly facet: string; readonly limit?: number }[]
  if (groupBy.length > 1) throw new BadRequest('the emulator groups by one facet')
  const facet = groupBy[0]
  if ((facet?.limit ?? 10) > MAX_GROUPS) throw new BadRequest('group_by limit is over 10000')

  const groups = new Map<string, DatadogRow[]>()
  const rows = parts.store.sorted()
  for (let at = lowerBound(rows, from, -1); at < rows.length; at += 1) {
    const row = rows[at] as DatadogRow
    if (row.timestamp >= to) break
    if (row.visibleAt > parts.now() || row.tier !== tier || !test(row)) continue
    const key = facet === undefined ? '' : facetOf(row, facet.facet)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  const limited = [...groups].slice(0, facet === undefined ? 1 : (facet.limit ?? 10))
  return {
    meta: { elapsed: 1, request_id: `req-${request}`, ...partialMeta(parts, 'aggregate', request) },
    data: {
      buckets: limited.map(([key, group]) => ({
        by: facet === undefined ? {} : { [facet.facet]: key },
        computes: Object.fromEntries(
          computes.map((compute, index) => [`c${index}`, computed(compute, group, from, to)]),
        ),
      })),
    },
  }
}

function computed(compute: Compute, rows: readonly DatadogRow[], from: number, to: number): unknown {
  const measure = (group: readonly DatadogRow[]) =>
    compute.aggregation === 'count'
      ? group.length
      : new Set(group.map((row) => facetOf(row, compute.metric ?? '@id'))).size
  if ((compute.type ?? 'total') === 'total') return measure(rows)
  const interval =
    compute.interval === undefined ? (to - from) / DEFAULT_POINTS : parseDuration(compute.interval)
  if (interval === undefined || interval <= 0) throw new BadRequest('interval is not a duration')
  const points = new Map<number, DatadogRow[]>()
  for (const row of rows) {
    const at = Math.floor(row.timestamp / interval) * interval
    const point = points.get(at)
    if (point === undefined) points.set(at, [row])
    else point.push(row)
  }
  // Zero buckets are left out: whether Datadog sends them is not known, so clients must fill them.
  return [...points].map(([at, group]) => ({ time: new Date(at).toISOString(), value: measure(group) }))
}

function facetOf(row: DatadogRow, facet: string): string | undefined {
  const found = facet.startsWith('@')
    ? valueAt(row.attributes, facet.slice(1).split('.'))
    : facet === 'service'
      ? row.service
      : row.source
  return found === undefined || found === null ? undefined : String(found)
}
