/** Fields of one event in a table of rows: start, end, and the bounds of its id and its time; the last four are -1 where JSON.parse must tell. */
export const ROW = 6

/** Where events lie, and when they happened; kept by column of fixed width so that a million cost no objects. */
export class Rows {
  count = 0
  spans = new Int32Array(4096 * ROW)
  times = new Float64Array(4096)

  add(start: number, end: number, found: Found, timeMs: number): void {
    if (this.count === this.times.length) this.#grow()
    const at = this.count * ROW
    const spans = this.spans
    spans[at] = start
    spans[at + 1] = end
    spans[at + 2] = found.idStart
    spans[at + 3] = found.idEnd
    spans[at + 4] = found.timeStart
    spans[at + 5] = found.timeEnd
    this.times[this.count] = timeMs
    this.count += 1
  }

  #grow(): void {
    const spans = new Int32Array(this.spans.length * 2)
    spans.set(this.spans)
    this.spans = spans
    const times = new Float64Array(this.times.length * 2)
    times.set(this.times)
    this.times = times
  }
}

export type Found = {
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

/** For an event whose id and time are read from its parsed record. */
export const NOT_PLAIN: Found = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }
