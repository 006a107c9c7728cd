import { mix } from '../infisical/hash.ts'
import { ApiError, AUDIT_COLUMNS, compileFilter } from './filter.ts'
import type { Release } from './release.ts'
import { KINDS, numberOf, type Row, type RowSet } from './rows.ts'

type Filter = Readonly<Record<string, unknown>>

/** Which rows of the table an answer holds, by reference. */
export type Selected = { readonly refs: readonly number[]; readonly total: number }

export type Store = {
  row(ref: number): Row
  /** @throws ApiError as the server would */
  select(asked: {
    readonly filter: Filter
    readonly sort: readonly unknown[]
    readonly start: number
    readonly end: number
  }): Selected
  /** By id, without looking at the others. */
  find(id: string): Row | undefined
  /** A row that becomes visible now, at its own place in time. */
  add(row: Row): void
  /** The oldest rows go. */
  vanish(count: number): void
  /** Oldest first. */
  rows(): Iterable<Row>
  readonly actions: readonly string[]
}

/** How often rows of one instant come in another order than before. */
const SHIFT_RATE = 0.5

export function openStore(set: RowSet, seed: number, release: Release): Store {
  const extras: Row[] = []
  /** The first row that is still there; filled in once the table is more than the generated rows. */
  let gone = 0
  let turn = 0
  const views = new Map<string, Int32Array>()

  const row = (ref: number): Row => (ref < set.size ? set.row(ref) : (extras[ref - set.size] as Row))
  const timeOf = (ref: number): number =>
    ref < set.size ? set.timeUs(ref) : (extras[ref - set.size]?.timeUs ?? 0)

  /** References in the order of time; undefined where they are the positions themselves. */
  const view = (filter: Filter): Int32Array | undefined => {
    const isWhole = Object.keys(filter).length === 0
    if (isWhole && extras.length === 0) return undefined
    const key = JSON.stringify(filter)
    const known = views.get(key)
    if (known !== undefined) return known
    const matches = compileFilter(filter, AUDIT_COLUMNS, release, (item) =>
      item.hasCreator ? item.user : undefined,
    )
    const refs: number[] = []
    const single = typeof filter['id'] === 'string' ? numberOf(KINDS.audit, filter['id']) : undefined
    if (single !== undefined && single >= gone && single < set.size) {
      if (matches(row(single))) refs.push(single)
    } else if (filter['id'] === undefined || Array.isArray(filter['id'])) {
      for (let ref = gone; ref < set.size; ref += 1) if (isWhole || matches(row(ref))) refs.push(ref)
    }
    for (let ref = set.size; ref < set.size + extras.length; ref += 1) if (matches(row(ref))) refs.push(ref)
    if (extras.length > 0) refs.sort((a, b) => timeOf(a) - timeOf(b) || a - b)
    const made = Int32Array.from(refs)
    views.set(key, made)
    return made
  }

  const store: Store = {
    row,
    select({ filter, sort, start, end }) {
      const refs = view(filter)
      const total = refs === undefined ? set.size - gone : refs.length
      const at = (position: number): number => (refs === undefined ? gone + position : (refs[position] ?? 0))
      const length = Math.max(0, Math.min(end, total) - start)
      const [field, word] = [String(sort[0] ?? 'created_at'), String(sort[1] ?? 'asc').toUpperCase()]
      const isDescending = word !== 'ASC'
      const get = AUDIT_COLUMNS[field]
      if (field !== 'created_at' && get !== undefined && sort.length > 0) {
        const all = Array.from({ length: total }, (_, position) => at(position))
        const keys = new Map(all.map((ref) => [ref, get(row(ref))]))
        const sign = isDescending ? -1 : 1
        all.sort((a, b) => sign * compare(keys.get(a), keys.get(b)))
        return { refs: all.slice(start, start + length), total }
      }
      // Rows of one instant stand in an order of the moment.
      turn += 1
      const shift = (mix(turn + seed) >>> 4) / 2 ** 28 < SHIFT_RATE ? mix(turn * 7 + seed) : 0
      const page: number[] = []
      for (let k = 0; k < length; k += 1) {
        const position = isDescending ? total - 1 - (start + k) : start + k
        page.push(at(inTie(position, total, at, timeOf, shift)))
      }
      return { refs: page, total }
    },
    find(id) {
      const number = numberOf(KINDS.audit, id)
      if (number !== undefined && number >= gone && number < set.size) return set.row(number)
      return extras.find((extra) => extra.id === id)
    },
    add(extra) {
      extras.push(extra)
      views.clear()
    },
    vanish(count) {
      gone = Math.min(set.size, gone + count)
      views.clear()
    },
    *rows() {
      const refs = view({})
      if (refs === undefined) for (let ref = gone; ref < set.size; ref += 1) yield set.row(ref)
      else for (const ref of refs) yield row(ref)
    },
    get actions() {
      const found = new Set<string>()
      for (let ref = gone; ref < Math.min(set.size, gone + 5000); ref += 1) found.add(set.row(ref).action)
      return [...found].sort()
    },
  }
  return store
}

/** Another position of the same instant, the same one-to-one mapping for all of them. */
function inTie(
  position: number,
  total: number,
  at: (position: number) => number,
  timeOf: (ref: number) => number,
  shift: number,
): number {
  const timeUs = timeOf(at(position))
  const isTied =
    (position > 0 && timeOf(at(position - 1)) === timeUs) ||
    (position + 1 < total && timeOf(at(position + 1)) === timeUs)
  if (!isTied || shift === 0) return position
  const edge = (from: number): number => {
    let [low, high] = [0, total]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (timeOf(at(middle)) < from) low = middle + 1
      else high = middle
    }
    return low
  }
  const [first, size] = [edge(timeUs), edge(timeUs + 1) - edge(timeUs)]
  return first + ((position - first + (shift % size)) % size)
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || a === undefined) return 1
  if (b === null || b === undefined) return -1
  return a < b ? -1 : 1
}

/** @throws ApiError 400 for a sort that the server would not take */
export function checkSort(sort: unknown, version: string): readonly unknown[] {
  if (sort === undefined) return []
  if (!Array.isArray(sort)) throw new ApiError(400, `'${typeof sort}' object is not iterable`)
  if (sort.length !== 2)
    throw new ApiError(400, `not enough values to unpack (expected 2, got ${sort.length})`)
  const [field, direction] = sort.map(String)
  if (field === 'creator') throw new ApiError(400, 'Cannot sort by relationship field: creator')
  if (version !== '0.1.0' && !/^(?:asc|desc)$/i.test(direction ?? ''))
    throw new ApiError(400, `Unsupported sorting direction: ${direction}`)
  return sort
}
