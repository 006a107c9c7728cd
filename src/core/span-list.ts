import type { EventSpans } from './json-slice.ts'

type Found = {
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

const FIELDS = 6

/** Collects spans in one growing array of numbers and hands them out by column. */
export class SpanList {
  readonly #bytes: Uint8Array
  #rows: Int32Array
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    // Events of about 512 bytes: rarely grown, never much too large.
    this.#rows = new Int32Array(FIELDS * (16 + (bytes.length >> 9)))
  }

  add(start: number, end: number, found: Found): void {
    const at = this.#count * FIELDS
    if (at === this.#rows.length) this.#grow()
    const rows = this.#rows
    rows[at] = start
    rows[at + 1] = end
    rows[at + 2] = found.idStart
    rows[at + 3] = found.idEnd
    rows[at + 4] = found.timeStart
    rows[at + 5] = found.timeEnd
    this.#count += 1
  }

  spans(): EventSpans {
    const count = this.#count
    const columns = new Int32Array(count * FIELDS)
    for (let n = 0; n < count; n += 1) {
      for (let field = 0; field < FIELDS; field += 1) {
        columns[field * count + n] = this.#rows[n * FIELDS + field] as number
      }
    }
    const column = (field: number) => columns.subarray(field * count, (field + 1) * count)
    return {
      bytes: this.#bytes,
      count,
      starts: column(0),
      ends: column(1),
      idStarts: column(2),
      idEnds: column(3),
      timeStarts: column(4),
      timeEnds: column(5),
    }
  }

  #grow(): void {
    const larger = new Int32Array(this.#rows.length * 2)
    larger.set(this.#rows)
    this.#rows = larger
  }
}
