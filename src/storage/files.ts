import { open } from 'node:fs/promises'
import { AuditctlError } from '../core/errors.ts'
import { type Blocks, decompress } from './decompress.ts'
import { readError } from './disk-errors.ts'

export const BLOCK_BYTES = 1024 * 1024

type Decoder = InstanceType<typeof TextDecoder>

/** The bytes of a file as they lie on the disk, in blocks; each is good only until the next one is asked for. @throws UserError, LocalError */
export async function* readFileBlocks(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const handle = await openToRead(path)
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(block, 0, block.length)
      if (bytesRead === 0) return
      yield block.subarray(0, bytesRead)
    }
  } catch (error) {
    throw readError(error, path)
  } finally {
    await handle.close()
  }
}

/** Opens a regular file, a pipe or a device for reading. @throws UserError, LocalError */
export async function openToRead(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    const handle = await open(path, 'r')
    try {
      // Linux opens a folder and fails at the first read only.
      if ((await handle.stat()).isDirectory()) {
        throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
      }
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw readError(error, path)
  }
}

/**
 * What an input says, as UTF-8: unpacked from gzip or zstd, without a byte order mark, and converted where the mark says UTF-16 (the
 * redirection of older PowerShells writes it). Blocks are good only until the next one is asked for.
 * @throws UserError, LocalError, IncompleteError
 */
export async function* readText(blocks: Blocks, name: string): AsyncGenerator<Uint8Array> {
  let decoder: Decoder | undefined
  let head: Uint8Array | undefined = new Uint8Array()
  try {
    for await (const block of decompress(blocks, name)) {
      if (head === undefined) {
        yield decoder === undefined ? block : Buffer.from(decoder.decode(block, { stream: true }))
        continue
      }
      head = head.length === 0 ? block : Buffer.concat([head, block])
      if (head.length < 3) {
        head = Buffer.from(head)
        continue
      }
      decoder = decoderOf(head)
      yield firstText(head, decoder)
      head = undefined
    }
  } catch (error) {
    throw error instanceof AuditctlError ? error : readError(error, name)
  }
  if (head !== undefined && head.length > 0) {
    decoder = decoderOf(head)
    yield firstText(head, decoder)
  }
  const tail = decoder?.decode() ?? ''
  if (tail !== '') yield Buffer.from(tail)
}

function decoderOf(head: Uint8Array): Decoder | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le')
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be')
  return undefined
}

function firstText(head: Uint8Array, decoder: Decoder | undefined): Uint8Array {
  if (decoder !== undefined) return Buffer.from(decoder.decode(head, { stream: true }))
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head
}
