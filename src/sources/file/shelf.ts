import { Chunk } from './chunk.ts'
import { type Extent, extentsOf, isNearlySorted, type KeepRows, type Store, sortedCopy } from './extents.ts'
import { ROW } from './rows.ts'
import { InputStore, MemoryStore, SpoolFile } from './stores.ts'

const NEAR_BYTES = 1024 * 1024
/** Where events of one time lie scattered over many chunks, small extents keep what is read in vain small. */
const SCATTERED_BYTES = 64 * 1024
const INT_BYTES = Int32Array.BYTES_PER_ELEMENT

/** Keeps the events of an input of any size where slices of the window can find them: in memory, in the input itself, or in a spool. */
export class Shelf {
  readonly extents: Extent[] = []
  readonly #scratch: () => Promise<string>
  #spool: { readonly events: SpoolFile; readonly rows: SpoolFile } | undefined
  #rows: Int32Array = new Int32Array(0)
  #rowCount = 0
  #sorted: Chunk | undefined
  readonly #inputs = new Map<string, InputStore>()

  constructor(scratch: () => Promise<string>) {
    this.#scratch = scratch
  }

  /** Puts a chunk away and clears it. */
  async put(chunk: Chunk): Promise<void> {
    const { events, rows } = await this.#files()
    let from = chunk
    const isNear = isNearlySorted(chunk)
    if (!isNear) {
      this.#sorted ??= new Chunk(chunk.bytes.length)
      sortedCopy(chunk, this.#sorted)
      from = this.#sorted
    }
    const { segments } = from
    const kept = keeper(from.rows.count, this.#rowCount)
    const place = segments === undefined ? await this.#copied(events, from) : this.#inPlace(segments)
    this.extents.push(...extentsOf(from.rows, isNear ? NEAR_BYTES : SCATTERED_BYTES, place, kept.keep))
    await rows.append(new Uint8Array(kept.rows.buffer))
    this.#rowCount += from.rows.count
    chunk.clear()
  }

  /** Keeps the only chunk in memory; nothing was put away before. */
  keep(chunk: Chunk): void {
    const store = new MemoryStore(chunk.bytes)
    const kept = keeper(chunk.rows.count, 0)
    const place = (at: number) => ({ store, position: at, until: Number.POSITIVE_INFINITY })
    this.extents.push(...extentsOf(chunk.rows, SCATTERED_BYTES, place, kept.keep))
    this.#rows = kept.rows
  }

  /** The rows of extents that follow each other. */
  async readRows(first: number, count: number): Promise<Int32Array> {
    if (this.#spool === undefined) return this.#rows.subarray(first * ROW, (first + count) * ROW)
    const bytes = await this.#spool.rows.read(first * ROW * INT_BYTES, count * ROW * INT_BYTES)
    return new Int32Array(bytes.buffer, bytes.byteOffset, count * ROW)
  }

  async close(): Promise<void> {
    this.extents.length = 0
    this.#rows = new Int32Array(0)
    const spool = this.#spool
    this.#spool = undefined
    await spool?.events.close()
    await spool?.rows.close()
  }

  async #files(): Promise<{ readonly events: SpoolFile; readonly rows: SpoolFile }> {
    if (this.#spool === undefined) {
      const folder = await this.#scratch()
      this.#spool = { events: new SpoolFile(folder, 'events'), rows: new SpoolFile(folder, 'rows') }
    }
    return this.#spool
  }

  async #copied(events: SpoolFile, from: Chunk): Promise<Parameters<typeof extentsOf>[2]> {
    const begin = await events.append(from.bytes.subarray(0, from.filled))
    return (at) => ({ store: events, position: begin + at, until: Number.POSITIVE_INFINITY })
  }

  #inPlace(
    segments: NonNullable<Chunk['segments']>,
  ): (at: number) => { store: Store; position: number; until: number } {
    let n = 0
    return (at) => {
      while ((segments[n + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) n += 1
      const segment = segments[n]
      if (segment === undefined) throw new Error('a chunk lost the place of its events')
      const until = segments[n + 1]?.at ?? Number.POSITIVE_INFINITY
      return { store: this.#input(segment.path), position: segment.offset + at - segment.at, until }
    }
  }

  #input(path: string): InputStore {
    const store = this.#inputs.get(path) ?? new InputStore(path)
    this.#inputs.set(path, store)
    return store
  }
}

/** One table for the rows of a chunk's extents; their numbers count from `first`. */
function keeper(count: number, first: number): { readonly rows: Int32Array; readonly keep: KeepRows } {
  const rows = new Int32Array(count * ROW)
  let used = 0
  const keep = (own: Int32Array) => {
    rows.set(own, used)
    used += own.length
    return first + (used - own.length) / ROW
  }
  return { rows, keep }
}
