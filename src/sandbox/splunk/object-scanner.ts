const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c

/** Walks JSON objects that stand back to back, as HEC does, one at a time; also inside one array. Notes where the value of `event` lies. */
export class ObjectScanner {
  readonly #bytes: Uint8Array
  #at = 0
  #isArray = false
  start = 0
  end = 0
  eventStart = -1
  eventEnd = -1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#skipSpace()
    if (bytes[this.#at] === 0x5b) {
      this.#isArray = true
      this.#at += 1
    }
  }

  get isArray(): boolean {
    return this.#isArray
  }

  /** Moves to the next object. `broken`: there is something that is no whole object. */
  next(): 'object' | 'end' | 'broken' {
    const bytes = this.#bytes
    this.#skipSpace()
    if (this.#isArray) {
      if (bytes[this.#at] === COMMA) this.#at += 1
      this.#skipSpace()
      if (bytes[this.#at] === 0x5d) return 'end'
      if (this.#at >= bytes.length) return 'broken'
    }
    if (this.#at >= bytes.length) return 'end'
    if (bytes[this.#at] !== OPEN) return 'broken'
    return this.#scanObject() ? 'object' : 'broken'
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    while (this.#at < bytes.length && (bytes[this.#at] ?? 0) <= 0x20) this.#at += 1
  }

  #scanObject(): boolean {
    const bytes = this.#bytes
    const length = bytes.length
    this.start = this.#at
    this.eventStart = -1
    this.eventEnd = -1
    let depth = 0
    let wantsKey = false
    let isEvent = false
    for (let at = this.#at; at < length; at += 1) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        const from = at + 1
        for (at += 1; at < length && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1
        if (depth === 1 && wantsKey) {
          wantsKey = false
          isEvent = at - from === 5 && isNamedEvent(bytes, from)
          if (isEvent) this.eventStart = -1
        }
      } else if (byte === 0x3a) {
        if (depth === 1 && isEvent && this.eventStart < 0) this.eventStart = at + 1
      } else if (byte === OPEN || byte === 0x5b) {
        depth += 1
        if (depth === 1) wantsKey = true
      } else if (byte === COMMA) {
        if (depth === 1) {
          if (isEvent) this.eventEnd = at
          isEvent = false
          wantsKey = true
        }
      } else if (byte === CLOSE || byte === 0x5d) {
        depth -= 1
        if (depth === 0) {
          if (isEvent) this.eventEnd = at
          this.end = at + 1
          this.#at = at + 1
          return true
        }
      }
    }
    return false
  }
}

function isNamedEvent(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x65 &&
    bytes[at + 1] === 0x76 &&
    bytes[at + 2] === 0x65 &&
    bytes[at + 3] === 0x6e &&
    bytes[at + 4] === 0x74
  )
}
