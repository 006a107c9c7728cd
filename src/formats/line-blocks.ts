import { UserError } from '../core/errors.ts'

const NEWLINE = 0x0a
const BLOCK_BYTES = 1 << 20
const MAX_LINE_BYTES = 64 << 20

export type LineBlockOptions = {
  /** A block is given out once it is this long; small chunks are gathered. */
  readonly blockBytes?: number
  readonly maxLineBytes?: number
  /** In messages. */
  readonly name?: string
}

/**
 * The bytes cut at line ends: blocks of whole lines, the last with or without a newline. A block is never written to again, so events may
 * go on pointing into it.
 * @throws UserError when a line is longer than `maxLineBytes`: a file that is not one of lines must not fill the memory
 */
export async function* readLineBlocks(
  chunks: AsyncIterable<Uint8Array>,
  { blockBytes = BLOCK_BYTES, maxLineBytes = MAX_LINE_BYTES, name = 'input' }: LineBlockOptions = {},
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let bytes = 0
  /** Of the line that is not finished yet. */
  let open = 0
  for await (const chunk of chunks) {
    const cut = chunk.lastIndexOf(NEWLINE) + 1
    parts.push(chunk)
    bytes += chunk.length
    open = cut === 0 ? open + chunk.length : chunk.length - cut
    if (open > maxLineBytes) {
      throw new UserError(`${name}: a line is longer than ${maxLineBytes} bytes`, {
        hint: 'check that the file holds one event a line',
      })
    }
    if (bytes < blockBytes || bytes === open) continue
    const gathered = parts.length === 1 ? chunk : Buffer.concat(parts, bytes)
    yield gathered.subarray(0, bytes - open)
    // Copied, for a view would keep the whole block in memory.
    parts = open === 0 ? [] : [Uint8Array.prototype.slice.call(gathered, bytes - open)]
    bytes = open
  }
  if (bytes > 0) yield Buffer.concat(parts, bytes)
}
