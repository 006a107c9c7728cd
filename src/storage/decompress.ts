import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { AuditctlError, IncompleteError } from '../core/errors.ts'
import { type FramePiece, ZstdFrames } from './zstd-frames.ts'

const OUTPUT_BYTES = 64 * 1024

/** Blocks of bytes; each is good only until the next one is asked for. */
export type Blocks = AsyncIterable<Uint8Array>

/**
 * The plain bytes of an input, whatever it is packed in: gzip and zstd are told by their first bytes, members and frames in a row included.
 * @throws IncompleteError when the packed data is cut off or damaged
 */
export async function* decompress(blocks: Blocks, name: string): AsyncGenerator<Uint8Array> {
  const iterator = blocks[Symbol.asyncIterator]()
  try {
    const { head, rest } = await peek(iterator, 4)
    if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzip(copies(head, rest), name)
    else if (head.length >= 4 && isZstd(head)) yield* unzstd(copies(head, rest), name)
    else {
      if (head.length > 0) yield head
      yield* rest
    }
  } finally {
    await iterator.return?.()
  }
}

// A zstd file may also begin with a skippable frame. @source RFC 8878, section 3.1.2
function isZstd(head: Uint8Array): boolean {
  const [a = 0, b, c, d] = head
  return (
    (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) ||
    (a >= 0x50 && a <= 0x5f && b === 0x2a && c === 0x4d && d === 0x18)
  )
}

async function* gunzip(blocks: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const engine = createGunzip({ chunkSize: OUTPUT_BYTES })
  let fed = 0
  let lastByte = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const block of blocks) {
      let used = block.length
      while (used > 0 && block[used - 1] === 0) used -= 1
      if (used > 0) lastByte = fed + used
      fed += block.length
      yield block
    }
  }
  yield* through(counted(), engine, name, 'gzip')
  // The engine stops in silence where no other member begins: zeros may pad a file, anything else is lost data.
  if (engine.bytesWritten < lastByte) {
    throw damaged(name, 'gzip', new RangeError('what follows its last gzip member is not another one'))
  }
}

async function* unzstd(blocks: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames()
  let pieces: Iterator<FramePiece> = [][Symbol.iterator]()
  const nextPiece = async (): Promise<FramePiece | undefined> => {
    for (;;) {
      const piece = pieces.next()
      if (piece.done !== true) return piece.value
      const block = await blocks.next()
      if (block.done === true) return undefined
      pieces = frames.pieces(block.value)
    }
  }
  async function* frame(first: FramePiece): AsyncGenerator<Uint8Array> {
    for (let piece: FramePiece | undefined = first; piece !== undefined; piece = await nextPiece()) {
      yield piece.bytes
      if (piece.endsFrame) return
    }
  }
  try {
    for (
      let first = await pieceOf(nextPiece, name);
      first !== undefined;
      first = await pieceOf(nextPiece, name)
    ) {
      yield* through(frame(first), createZstdDecompress({ chunkSize: OUTPUT_BYTES }), name, 'zstd')
    }
    // Node 22 takes a frame that was cut off for a whole one.
    if (!frames.isAtBoundary) throw damaged(name, 'zstd', new RangeError('unexpected end of file'))
  } finally {
    await blocks.return(undefined)
  }
}

/** The first piece of a frame, where what follows the last one may turn out to be none. */
async function pieceOf(
  next: () => Promise<FramePiece | undefined>,
  name: string,
): Promise<FramePiece | undefined> {
  try {
    return await next()
  } catch (error) {
    throw error instanceof RangeError ? damaged(name, 'zstd', error) : error
  }
}

async function* through(
  input: AsyncGenerator<Uint8Array>,
  engine: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
  name: string,
  format: 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array> {
  const feed = Readable.from(input, { objectMode: false, highWaterMark: OUTPUT_BYTES })
  feed.on('error', (error) => engine.destroy(error))
  feed.pipe(engine)
  try {
    for await (const block of engine) yield block as Uint8Array
  } catch (error) {
    // An error of the input itself (a disk, a signal) is not damage.
    if (error instanceof AuditctlError || !isEngineError(error)) throw error
    throw damaged(name, format, error)
  } finally {
    feed.destroy()
    engine.destroy()
  }
}

function isEngineError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return error instanceof RangeError || /^(?:Z_|ZSTD_)/.test(code)
}

function damaged(name: string, format: string, cause: unknown): IncompleteError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new IncompleteError(`${name}: its ${format} data is cut off or damaged: ${reason}`, {
    cause,
    hint: 'copy or download the file again, and compare its size with the original',
    code: 'damaged-input',
  })
}

async function peek(
  iterator: AsyncIterator<Uint8Array>,
  bytes: number,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array> }> {
  let head: Uint8Array = new Uint8Array()
  let isOver = false
  while (head.length < bytes && !isOver) {
    const next = await iterator.next()
    isOver = next.done === true
    if (next.done !== true) head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
    if (head.length < bytes) head = Buffer.from(head)
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    while (!isOver) {
      const next = await iterator.next()
      if (next.done === true) return
      yield next.value
    }
  }
  return { head, rest: rest() }
}

// A block is only good until the next one is asked for, and an engine reads ahead.
async function* copies(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head)
  for await (const block of rest) yield Buffer.from(block)
}
