import type { AuditEvent } from '../../core/event.ts'
import type { ObjectEntry } from '../../storage/objects/store.ts'

/** What all kept objects may hold together. */
const SHELF_BYTES = 48 * 1024 * 1024
/** What an event costs beside its bytes. */
const EVENT_BYTES = 200

type Kept = { readonly events: Promise<readonly AuditEvent[]>; bytes: number }

/** Keeps the events of objects that neighbouring slices ask for again, the last used longest; each object is read once at a time. */
export class Shelf {
  readonly #read: (object: ObjectEntry) => Promise<readonly AuditEvent[]>
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(read: (object: ObjectEntry) => Promise<readonly AuditEvent[]>) {
    this.#read = read
  }

  get(object: ObjectEntry): Promise<readonly AuditEvent[]> {
    const known = this.#kept.get(object.key)
    this.#kept.delete(object.key)
    const kept = known ?? this.#begin(object)
    this.#kept.set(object.key, kept)
    return kept.events
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  #begin(object: ObjectEntry): Kept {
    const kept: Kept = { events: this.#read(object), bytes: 0 }
    kept.events.then(
      (events) => {
        if (this.#kept.get(object.key) !== kept) return
        kept.bytes = events.reduce((sum, { start, end }) => sum + end - start + EVENT_BYTES, EVENT_BYTES)
        this.#bytes += kept.bytes
        this.#trim()
      },
      () => {
        if (this.#kept.get(object.key) === kept) this.#kept.delete(object.key)
      },
    )
    return kept
  }

  #trim(): void {
    for (const [key, { bytes }] of this.#kept) {
      if (this.#bytes <= SHELF_BYTES) return
      // One that is still being read has no weight yet.
      if (bytes === 0) continue
      this.#kept.delete(key)
      this.#bytes -= bytes
    }
  }
}
