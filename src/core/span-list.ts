import { SPAN_FIELDS } from './event.ts'
import type { EventSpans } from './json-slice.ts'
import type { Outlines } from './outlines.ts'
import { type PageValues, ValueList } from './page-values.ts'

type Found = {
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

const FIELDS = SPAN_FIELDS

/** Where the lists grow, one after the other: what each keeps in the end is a copy of its exact length. */
let scratchRows = new Int32Array(FIELDS * 1024)
const scratchValues = new ValueList()

/** Collects spans in one array of numbers. One list at a time: the next one begins where the last has given its `spans`. */
export class SpanList {
  readonly #bytes: Uint8Array
  #count = 0
  readonly #outlines: Outlines | undefined
  readonly #values: ValueList | undefined = undefined

  /** With `outlines` the list holds the values of the events, too. */
  constructor(bytes: Uint8Array, outlines?: Outlines) {
    this.#bytes = bytes
    this.#outlines = outlines
    if (outlines === undefined) return
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
    if (this.#outlines === undefined) return
    if (isKnown) this.#values?.add(this.#outlines)
    else this.#values?.addNone()
  }

  /** `times`: see `EventSpans`. */
  spans(times?: Float64Array): EventSpans {
    const rows = scratchRows.slice(0, this.#count * FIELDS)
    const values = this.#values?.copied(this.#outlines?.all ?? [])
    return new Spans(this.#bytes, this.#count, rows, values, times)
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
  readonly times: Float64Array | undefined
  readonly #columns: Int32Array[] = []

  constructor(
    bytes: Uint8Array,
    count: number,
    rows: Int32Array,
    values: PageValues | undefined,
    times: Float64Array | undefined,
  ) {
    this.bytes = bytes
    this.count = count
    this.rows = rows
    this.values = values
    this.times = times
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
