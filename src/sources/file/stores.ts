import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Buffers } from '../../core/buffers.ts'
import { IncompleteError } from '../../core/errors.ts'
import { readError, writeError } from '../../storage/disk-errors.ts'
import { openToRead } from '../../storage/files.ts'
import { PRIVATE_FILE } from '../../storage/private-files.ts'
import type { Store } from './extents.ts'

/** What is held in memory anyway. */
export class MemoryStore implements Store {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  async read(position: number, bytes: number): Promise<Buffer> {
    return this.#bytes.subarray(position, position + bytes)
  }
}

/** A file of the input, read again in place. */
export class InputStore implements Store {
  /** Readings under way: it must not be closed meanwhile. */
  users = 0
  readonly #path: string
  #handle: Promise<FileHandle> | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(position: number, bytes: number, buffers: Buffers): Promise<Buffer> {
    this.users += 1
    try {
      this.#handle ??= openToRead(this.#path)
      return await readWhole(await this.#handle, this.#path, position, bytes, buffers)
    } finally {
      this.users -= 1
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // One that could not be opened was reported to its reader.
    await (await handle?.catch(() => undefined))?.close()
  }
}

/** A temporary file that grows and is read at any place. */
export class SpoolFile implements Store {
  readonly #path: string
  #handle: FileHandle | undefined
  #length = 0

  constructor(folder: string, name: string) {
    this.#path = join(folder, name)
  }

  /** Where `bytes` now lie. @throws LocalError when the disk is full */
  async append(bytes: Uint8Array): Promise<number> {
    const position = this.#length
    try {
      this.#handle ??= await open(this.#path, 'w+', PRIVATE_FILE)
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, position + at)
        at += bytesWritten
      }
    } catch (error) {
      throw writeError(error, this.#path, 'it is a temporary copy of the input, which is untouched')
    }
    this.#length += bytes.length
    return position
  }

  async read(position: number, bytes: number, buffers: Buffers): Promise<Buffer> {
    if (this.#handle === undefined) throw new Error(`${this.#path} was read before it was written`)
    return await readWhole(this.#handle, this.#path, position, bytes, buffers)
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    if (handle === undefined) return
    await handle.close()
    await rm(this.#path, { force: true })
  }
}

async function readWhole(
  handle: FileHandle,
  path: string,
  position: number,
  bytes: number,
  buffers: Buffers,
): Promise<Buffer> {
  const buffer = buffers.take(bytes)
  try {
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await handle.read(buffer, at, bytes - at, position + at)
      if (bytesRead === 0) throw changed(path)
      at += bytesRead
    }
  } catch (error) {
    throw readError(error, path)
  }
  return buffer
}

export function changed(path: string): IncompleteError {
  return new IncompleteError(`${path} changed while it was being read`, {
    hint: 'run the command again when nothing writes to the file',
    code: 'input-changed',
  })
}
