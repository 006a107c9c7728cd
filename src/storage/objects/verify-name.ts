import { createHash, type Hash } from 'node:crypto'

/** What the digest in an object's name was found to be of. */
export type NameMatch = 'stored' | 'unpacked' | 'differs' | 'none'

/** Compares the SHA-1 or SHA-256 that a name ends with, before its extensions, with what was read. */
export class NameCheck {
  readonly #digest: string | undefined
  readonly #stored: Hash | undefined
  readonly #unpacked: Hash | undefined

  constructor(name: string) {
    this.#digest = digestIn(name)
    const algorithm = this.#digest?.length === 40 ? 'sha1' : 'sha256'
    if (this.#digest !== undefined) {
      this.#stored = createHash(algorithm)
      this.#unpacked = createHash(algorithm)
    }
  }

  /** The same blocks, seen on their way. */
  async *stored(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const block of blocks) {
      this.#stored?.update(block)
      yield block
    }
  }

  async *unpacked(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const block of blocks) {
      this.#unpacked?.update(block)
      yield block
    }
  }

  /** Once both were read to their ends. */
  result(): NameMatch {
    if (this.#digest === undefined) return 'none'
    if (this.#stored?.digest('hex') === this.#digest) return 'stored'
    return this.#unpacked?.digest('hex') === this.#digest ? 'unpacked' : 'differs'
  }
}

/** `2025-07-16T09:52:30_<sha1>`, `part-0012345-<sha256>.jsonl.gz`; undefined without one. */
export function digestIn(name: string): string | undefined {
  return /[_-]([0-9a-f]{64}|[0-9a-f]{40})(?:\.[a-z0-9.]+)?$/i.exec(name)?.[1]?.toLowerCase()
}
