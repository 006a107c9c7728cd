const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50

/** A piece of the compressed stream. `endsFrame`: the next piece belongs to another frame. */
export type FramePiece = { readonly bytes: Uint8Array; readonly endsFrame: boolean }

type State =
  | 'magic'
  | 'descriptor'
  | 'rest-of-header'
  | 'block'
  | 'content'
  | 'checksum'
  | 'skip-size'
  | 'skip'

/**
 * Finds where zstd frames end without decompressing them: Node's decompressor stops in silence at the end of the first frame, and on
 * Node 22 also where a frame was cut off.
 * @source RFC 8878, section 3.1 (read 2026-11-20)
 */
export class ZstdFrames {
  #need = 4
  #header: number[] = []
  #state: State = 'magic'
  #hasChecksum = false
  #isLastBlock = false

  /** Nothing has begun that did not end. */
  get isAtBoundary(): boolean {
    return this.#state === 'magic' && this.#header.length === 0
  }

  /** @throws RangeError where the bytes are not those of a zstd frame */
  *pieces(bytes: Uint8Array): Generator<FramePiece> {
    let from = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#state === 'content' || this.#state === 'skip' || this.#state === 'rest-of-header') {
        const taken = Math.min(this.#need, bytes.length - at)
        at += taken
        this.#need -= taken
        if (this.#need > 0) break
      } else {
        this.#header.push(bytes[at] ?? 0)
        at += 1
        if (this.#header.length < this.#need) continue
      }
      if (!this.#advance()) continue
      yield { bytes: bytes.subarray(from, at), endsFrame: true }
      from = at
    }
    if (from < bytes.length) yield { bytes: bytes.subarray(from), endsFrame: false }
  }

  /** Goes to the next field once the present one is whole; true at the end of a frame. Fields of no bytes are passed at once. */
  #advance(): boolean {
    const header = this.#header
    this.#header = []
    switch (this.#state) {
      case 'magic': {
        const magic = littleEndian(header)
        if (magic === MAGIC) return this.#go('descriptor', 1)
        if (Math.floor(magic / 16) === SKIPPABLE / 16) return this.#go('skip-size', 4)
        throw new RangeError('what follows the last zstd frame is not another one')
      }
      case 'skip-size':
        return this.#go('skip', littleEndian(header))
      case 'descriptor': {
        const descriptor = header[0] ?? 0
        const isSingle = (descriptor & 0x20) !== 0
        this.#hasChecksum = (descriptor & 0x04) !== 0
        const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
        return this.#go(
          'rest-of-header',
          (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + sizeBytes,
        )
      }
      case 'rest-of-header':
        return this.#go('block', 3)
      case 'block': {
        const block = littleEndian(header)
        const type = (block >> 1) & 3
        if (type === 3) throw new RangeError('a zstd block has a type that does not exist')
        this.#isLastBlock = (block & 1) === 1
        return this.#go('content', type === 1 ? 1 : block >> 3)
      }
      case 'content':
        if (!this.#isLastBlock) return this.#go('block', 3)
        return this.#go('checksum', this.#hasChecksum ? 4 : 0)
      case 'checksum':
      case 'skip':
        this.#go('magic', 4)
        return true
    }
  }

  #go(state: State, need: number): boolean {
    this.#state = state
    this.#need = need
    return need === 0 ? this.#advance() : false
  }
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte, position) => sum + byte * 256 ** position, 0)
}
