import { Buffers } from '../../core/buffers.ts'
import { Chunk } from './chunk.ts'
import { type Extent, extentsOf, isNearlySorted, type KeepRows, type Store, sortedCopy } from './extents.ts'
import { InputStore, MemoryStore, SpoolFile } from './stores.ts'

const NEAR_BYTES = 1024 * 1024
/** Where events of one time lie scattered over many chunks, small extents keep what is read in vain small. */
const SCATTERED_BYTES = 64 * 1024
/** A glob may stand for more files than a process may hold open. */
const MAX_OPEN = 16
const INT_BYTES = Int32Array.BYTES_PER_ELEMENT

/** Keeps the events of an input of any size where slices of the window can find them: in memory, in the input itself, or in a spool. */
export class Shelf {
  readonly extents: Extent[] = []
  readonly #scratch: () => Promise<string>
  #spool: { readonly events: SpoolFile; readonly rows: SpoolFile } | undefined
  #rows: Int32Array = new Int32Array(0)
  /** Of the rows that were put away. */
  #rowLength = 0
  #sorted: Chunk | undefined
  readonly #inputs = new Map<string, InputStore>()
  /** Those that may be open, the one read last at the end. */
  readonly #open = new Set<InputStore>()
  readonly #buffers = new Buffers()

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
    const kept = keeper(this.#rowLength)
    const place = segments === undefined ? await this.#copied(events, from) : this.#inPlace(segments)
    this.extents.push(...extentsOf(from.rows, isNear ? NEAR_BYTES : SCATTERED_BYTES, place, kept.keep))
    const table = kept.rows()
    await rows.append(new Uint8Array(table.buffer))
    this.#rowLength += table.length
    chunk.clear()
  }

  /** Keeps the only chunk in memory; nothing was put away before. */
  keep(chunk: Chunk): void {
    const store = new MemoryStore(chunk.bytes)
    const kept = keeper(0)
    const place = (at: number) => ({ store, position: at, until: Number.POSITIVE_INFINITY })
    this.extents.push(...extentsOf(chunk.rows, SCATTERED_BYTES, place, kept.keep))
    this.#rows = kept.rows()
  }

  /** Bytes of a store, and the packed rows of extents that follow each other. Both are put on the `held` list until they are given back. */
  async read(store: Store, position: number, bytes: number, held: Buffer[]): Promise<Buffer> {
    if (store instanceof InputStore) await this.#touch(store)
    const buffer = await store.read(position, bytes, this.#buffers)
    held.push(buffer)
    return buffer
  }

  async readRows(first: number, length: number, held: Buffer[]): Promise<Int32Array> {
    if (this.#spool === undefined) return this.#rows.subarray(first, first + length)
    const { rows } = this.#spool
    const bytes = await rows.read(first * INT_BYTES, length * INT_BYTES, this.#buffers)
    held.push(bytes)
    return new Int32Array(bytes.buffer, bytes.byteOffset, length)
  }

  /** Nobody looks at what was read any more. */
  giveBack(held: readonly Buffer[]): void {
    for (const buffer of held) this.#buffers.give(buffer)
  }

  async close(): Promise<void> {
    this.extents.length = 0
    this.#rows = new Int32Array(0)
    this.#buffers.clear()
    const spool = this.#spool
    this.#spool = undefined
    for (const store of this.#inputs.values()) await store.close()
    await spool?.events.close()
    await spool?.rows.close()
  }

  /** Keeps the store open, and few others. */
  async #touch(store: InputStore): Promise<void> {
    this.#open.delete(store)
    this.#open.add(store)
    if (this.#open.size <= MAX_OPEN) return
    for (const other of this.#open) {
      if (other === store || other.users > 0) continue
      this.#open.delete(other)
      await other.close()
      return
    }
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

/** Gathers the packed rows of a chunk's extents in one table; their places count from `first`. */
function keeper(first: number): { rows(): Int32Array<ArrayBuffer>; readonly keep: KeepRows } {
  const parts: Int32Array[] = []
  let length = 0
  return {
    keep(own: Int32Array) {
      parts.push(own)
      length += own.length
      return first + length - own.length
    },
    rows() {
      const rows = new Int32Array(length)
      let used = 0
      for (const part of parts) {
        rows.set(part, used)
        used += part.length
      }
      return rows
    },
  }
}
