import { Buffers } from './buffers.ts'

/** The slab from which Node cuts small buffers is as large as this; it is shared and must never be freed. */
const SHARED_BYTES = Math.max(Buffer.poolSize, 64 * 1024 - 1)

/** Of this process: replies come from many servers, but are much of a size. */
const replies = new Buffers()

/** Memory for a reply of that length, with whatever it held before; `freeBytes` makes it serve another. */
export function takeBytes(bytes: number): Buffer<ArrayBuffer> {
  return replies.take(bytes)
}

/**
 * Gives the memory behind `bytes` back at once; the bytes, and every other view of that memory, are empty afterwards. Only for who knows
 * that nobody looks at them again. Left to the collector, each 64 MB of such memory costs a walk over the whole heap (measured: a fifth of
 * the CPU of an export). Small memory may be shared with others and is left alone.
 */
export function freeBytes(bytes: Uint8Array): void {
  const memory = bytes.buffer
  if (replies.give(bytes) || !(memory instanceof ArrayBuffer)) return
  if (memory.byteLength > SHARED_BYTES) memory.transfer(0)
}
