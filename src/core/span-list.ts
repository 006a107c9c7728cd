import { SPAN_FIELDS } from './event.ts'
import type { EventSpans } from './json-slice.ts'
import type { Outlines } from './outlines.ts'
import { type PageValues, ValueList, type ValueWish } from './page-values.ts'

type Found = {
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

/** What finds the events; `outlines` tells of the one matched last. */
type Scanner = ValueWish & { readonly outlines: Outlines }

const FIELDS = SPAN_FIELDS

/** Where the lists grow, one after the other: what each keeps in the end is a copy of its exact length. */
let scratchRows = new Int32Array(FIELDS * 1024)
const scratchValues = new ValueList()

/** Collects spans in one array of numbers. One list at a time: the next one begins where the last has given its `spans`. */
export class SpanList {
  readonly #bytes: Uint8Array
  #count = 0
  readonly #scanner: Scanner | undefined
  readonly #values: ValueList | undefined = undefined

  /** `scanner`: what finds the events; the list holds their values, too, once somebody has wished for them. */
  constructor(bytes: Uint8Array, scanner?: Scanner) {
    this.#bytes = bytes
    this.#scanner = scanner
    if (scanner?.wantsValues !== true) return
    scratchValues.clear()
    this.#values = scratchValues
  }

  /** An event; when its outline is `isKnown`, it is the one matched last. */
  add(start: number, end: number, found: Found, isKnown = false): void {
    const at = this.#count * FIELDS
    if (at === scratchRows.length) grow()
    const rows = scratchRows
    rows[at] = start
    rows[at + 1] = end
    rows[at + 2] = found.idStart
    rows[at + 3] = found.idEnd
    rows[at + 4] = found.timeStart
    rows[at + 5] = found.timeEnd
    this.#count += 1
    if (this.#values === undefined || this.#scanner === undefined) return
    if (isKnown) this.#values.add(this.#scanner.outlines)
    else this.#values.addNone()
  }

  /** `known`: what else is known of them. */
  spans(known: Pick<EventSpans, 'times' | 'isCompact'> = {}): EventSpans {
    const rows = scratchRows.slice(0, this.#count * FIELDS)
    const values = this.#values?.copied(this.#scanner?.outlines.all ?? [])
    return new Spans(this.#bytes, this.#count, rows, { ...known, values, wish: this.#scanner })
  }
}

function grow(): void {
  const larger = new Int32Array(scratchRows.length * 2)
  larger.set(scratchRows)
  scratchRows = larger
}

/** Most readers want rows; columns are made when they are asked for. */
class Spans implements EventSpans {
  readonly bytes: Uint8Array
  readonly count: number
  readonly rows: Int32Array
  readonly values: PageValues | undefined
  readonly wish: ValueWish | undefined
  readonly times: Float64Array | undefined
  readonly isCompact: boolean | undefined
  readonly #columns: Int32Array[] = []

  constructor(
    bytes: Uint8Array,
    count: number,
    rows: Int32Array,
    { values, wish, times, isCompact }: Pick<EventSpans, 'values' | 'wish' | 'times' | 'isCompact'>,
  ) {
    this.bytes = bytes
    this.count = count
    this.rows = rows
    this.values = values
    this.wish = wish
    this.times = times
    this.isCompact = isCompact
  }

  get starts(): Int32Array {
    return this.#column(0)
  }
  get ends(): Int32Array {
    return this.#column(1)
  }
  get idStarts(): Int32Array {
    return this.#column(2)
  }
  get idEnds(): Int32Array {
    return this.#column(3)
  }
  get timeStarts(): Int32Array {
    return this.#column(4)
  }
  get timeEnds(): Int32Array {
    return this.#column(5)
  }

  #column(field: number): Int32Array {
    const known = this.#columns[field]
    if (known !== undefined) return known
    const column = new Int32Array(this.count)
    for (let n = 0; n < this.count; n += 1) column[n] = this.rows[n * FIELDS + field] as number
    this.#columns[field] = column
    return column
  }
}
