import { type EventSet, eventAt, lowerBound, type NativeEvent, type Test } from './event-set.ts'
import { dice } from './hash.ts'

/** An event that is not of the set: appended, late, huge, or left by reading. */
export type Extra = {
  readonly timeUs: number
  readonly bytes: Buffer
  readonly event: NativeEvent
  /** Reading left it; not one of the source's own events. */
  readonly own: boolean
}

export type Selection = {
  /** Inside are `fromUs <= time < toUs`. */
  readonly fromUs: number
  readonly toUs: number
  readonly test: Test | undefined
  /** Whether the test looks at fields that differ from event to event. */
  readonly variable: boolean
}

/** A page of rows: positions in the set, or -1, -2, … for the extras. */
export type Rows = { readonly refs: readonly number[]; readonly timesUs: readonly number[] }

export type Store = {
  readonly set: EventSet
  readonly extras: readonly Extra[]
  replaceSet(set: EventSet): void
  add(extra: Extra): void
  clearExtras(): void
  /** Newest first. Rows of one microsecond come in an order that changes from call to call, as nothing in the query says which. */
  rows(selection: Selection, offset: number, limit: number): Rows
  bytesOf(rows: Rows): Buffer
  /** Oldest first, without those that reading left. */
  events(): Iterable<NativeEvent>
}

export function openStore(first: EventSet, seed: number): Store {
  let set = first
  // Ascending by time.
  let extras: Extra[] = []
  const random = dice(seed)

  const store: Store = {
    get set() {
      return set
    },
    get extras() {
      return extras
    },
    replaceSet: (next) => {
      set = next
    },
    add(extra) {
      const at = lowerBound(byTime(extras), extra.timeUs + 1)
      extras.splice(at, 0, extra)
    },
    clearExtras: () => {
      extras = []
    },
    rows(selection, offset, limit) {
      const span = {
        low: lowerBound(set, selection.fromUs),
        high: lowerBound(set, selection.toUs),
        extraLow: lowerBound(byTime(extras), selection.fromUs),
        extraHigh: lowerBound(byTime(extras), selection.toUs),
      }
      return selection.test === undefined
        ? shuffleTies(plainRows(set, extras, span, offset, limit), set, random)
        : matchingRows(set, extras, span, selection, offset, limit, random)
    },
    bytesOf(rows) {
      const largest = rows.refs.reduce(
        (sum, ref) => sum + (ref < 0 ? (extras[-1 - ref]?.bytes.length ?? 0) : set.maxBytes) + 1,
        0,
      )
      const target = Buffer.allocUnsafeSlow(largest + 32)
      let at = target.write('{"auditLogs":[', 0, 'latin1')
      rows.refs.forEach((ref, row) => {
        if (row > 0) {
          target[at] = 0x2c
          at += 1
        }
        const extra = ref < 0 ? extras[-1 - ref] : undefined
        if (extra === undefined) at = set.write(ref, rows.timesUs[row] ?? 0, target, at)
        else {
          target.set(extra.bytes, at)
          at += extra.bytes.length
        }
      })
      at += target.write(']}', at, 'latin1')
      return target.subarray(0, at)
    },
    *events() {
      const own = extras.filter((extra) => !extra.own)
      let next = 0
      const seen = { id: '' }
      for (let index = 0; index < set.size; index += 1) {
        const timeUs = set.timeUs(index)
        for (let extra = own[next]; extra !== undefined && extra.timeUs <= timeUs; extra = own[next]) {
          next += 1
          yield extra.event
        }
        const event = eventAt(set, index)
        // Of a row that is stored twice, one.
        if (event.id !== seen.id) yield event
        seen.id = event.id
      }
      for (const extra of own.slice(next)) yield extra.event
    },
  }
  return store
}

function byTime(extras: readonly Extra[]): { readonly size: number; timeUs(index: number): number } {
  return { size: extras.length, timeUs: (index) => extras[index]?.timeUs ?? 0 }
}

type Span = {
  readonly low: number
  readonly high: number
  readonly extraLow: number
  readonly extraHigh: number
}

function plainRows(
  set: EventSet,
  extras: readonly Extra[],
  span: Span,
  offset: number,
  limit: number,
): { refs: number[]; timesUs: number[] } {
  const refs: number[] = []
  const timesUs: number[] = []
  // Where each extra stands among all rows: after the newer events of the set and the newer extras.
  const placeOf = new Map<number, number>()
  for (let extra = span.extraHigh - 1, rank = 0; extra >= span.extraLow; extra -= 1, rank += 1) {
    const newer = span.high - Math.max(span.low, lowerBound(set, (extras[extra]?.timeUs ?? 0) + 1))
    placeOf.set(newer + rank, extra)
  }
  const total = span.high - span.low + placeOf.size
  let skipped = 0
  for (const place of placeOf.keys()) if (place < offset) skipped += 1
  for (let place = offset; place < Math.min(total, offset + limit); place += 1) {
    const extra = placeOf.get(place)
    if (extra === undefined) {
      const ref = span.high - 1 - (place - skipped)
      refs.push(ref)
      timesUs.push(set.timeUs(ref))
    } else {
      skipped += 1
      refs.push(-1 - extra)
      timesUs.push(extras[extra]?.timeUs ?? 0)
    }
  }
  return { refs, timesUs }
}

/** Puts other members of the same microsecond in the place of those on the page. */
function shuffleTies(page: { refs: number[]; timesUs: number[] }, set: EventSet, random: () => number): Rows {
  const { refs, timesUs } = page
  const group = { timeUs: Number.NaN, start: 0, end: 0, order: (place: number) => place }
  for (let row = 0; row < refs.length; row += 1) {
    const ref = refs[row] ?? -1
    const timeUs = timesUs[row] ?? 0
    if (ref < 0) continue
    const edge = row === 0 || row === refs.length - 1
    if (timeUs !== group.timeUs) {
      if (!edge && timesUs[row + 1] !== timeUs) continue
      const end = lowerBound(set, timeUs + 1)
      const start = lowerBound(set, timeUs)
      if (end - start < 2) continue
      Object.assign(group, { timeUs, start, end, order: tieOrder(end - start, random) })
    }
    refs[row] = group.end - 1 - group.order(group.end - 1 - ref)
  }
  return page
}

/** How often a query meets the tied rows in another order. Chosen so that paging loses about as many rows as measured on a real server. */
const SHIFT_RATE = 0.35

function tieOrder(size: number, random: () => number): (place: number) => number {
  if (random() > SHIFT_RATE) return (place) => place
  const shift = Math.floor(random() * size)
  let factor = 1 + Math.floor(random() * (size - 1))
  while (commonDivisor(factor, size) !== 1) factor = (factor % size) + 1
  return (place) => (place * factor + shift) % size
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

function matchingRows(
  set: EventSet,
  extras: readonly Extra[],
  span: Span,
  selection: Selection,
  offset: number,
  limit: number,
  random: () => number,
): Rows {
  const { test = () => true, variable } = selection
  const matches = set.matcher(test, variable)
  const found: { ref: number; timeUs: number }[] = []
  let extra = span.extraHigh - 1
  const takeExtras = (downTo: number): void => {
    for (; extra >= span.extraLow; extra -= 1) {
      const candidate = extras[extra]
      if (candidate === undefined || candidate.timeUs < downTo) return
      if (test(candidate.event)) found.push({ ref: -1 - extra, timeUs: candidate.timeUs })
    }
  }
  for (let index = span.high - 1; index >= span.low; index -= 1) {
    if (extra >= span.extraLow) takeExtras(set.timeUs(index))
    // A tie group that crosses the page's end is read whole, since any of its rows may be on the page.
    if (found.length >= offset + limit && set.timeUs(index) !== found.at(-1)?.timeUs) break
    if (matches(index)) found.push({ ref: index, timeUs: set.timeUs(index) })
  }
  if (found.length < offset + limit) takeExtras(selection.fromUs)
  for (let start = 0; start < found.length; ) {
    let end = start + 1
    while (end < found.length && found[end]?.timeUs === found[start]?.timeUs) end += 1
    if (end - start > 1) {
      const order = tieOrder(end - start, random)
      const group = found.slice(start, end)
      group.forEach((_, place) => {
        const other = group[order(place)]
        if (other !== undefined) found[start + place] = other
      })
    }
    start = end
  }
  const page = found.slice(offset, offset + limit)
  return { refs: page.map((row) => row.ref), timesUs: page.map((row) => row.timeUs) }
}

/** A row from its JSON text, kept to the byte. Digits below the millisecond are what the table holds; shown are milliseconds. */
export function extraOf(bytes: Buffer, timeUs: number, own: boolean): Extra {
  return { timeUs, bytes, event: JSON.parse(bytes.toString('utf8')) as NativeEvent, own }
}
