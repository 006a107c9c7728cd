import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../core/errors.ts'
import { codeOf, writeError } from './disk-errors.ts'
import { PRIVATE_FILE, syncFolder } from './private-files.ts'

/** A file that grows beside its final name and takes that name when it is whole. Mode 0600. */
export interface PartFile {
  readonly path: string
  /** Bytes appended so far, synced or not. */
  readonly bytes: number
  /** Calls must not overlap. @throws LocalError when the disk is full or failing: what was synced before is intact */
  append(content: Uint8Array): Promise<void>
  /** Returns once everything appended would survive a power loss. */
  sync(): Promise<void>
  /** Cuts the file back to a committed length and goes on from there. */
  truncate(bytes: number): Promise<void>
  /** Syncs, closes, renames and makes the name durable. @throws UserError when `overwrite` is not set and the name is taken */
  finish(target: string, options?: { readonly overwrite?: boolean }): Promise<void>
  /** Closes it and leaves it where it is, to be resumed. Closing twice is harmless. */
  close(): Promise<void>
  /** Closes and removes it. */
  discard(): Promise<void>
}

/**
 * Opens the part file at `path`, cut back to `resumeAt` bytes, 0 by default.
 * @throws UserError when it holds fewer bytes than `resumeAt`: it is not the file that was committed
 */
export async function openPartFile(
  path: string,
  options: { readonly resumeAt?: number } = {},
): Promise<PartFile> {
  const resumeAt = options.resumeAt ?? 0
  let handle: FileHandle
  try {
    // Not 'a': appending mode ignores positions, and after a cut the position is what counts.
    handle = await open(path, resumeAt > 0 ? 'r+' : 'w', PRIVATE_FILE)
  } catch (error) {
    if (resumeAt > 0 && codeOf(error) === 'ENOENT') throw shorter(path, 0, resumeAt)
    throw writeError(error, path, 'nothing was written')
  }
  const file = new AsideFile(path, handle)
  try {
    const { size } = await handle.stat()
    if (size < resumeAt) throw shorter(path, size, resumeAt)
    await file.truncate(resumeAt)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

class AsideFile implements PartFile {
  readonly path: string
  #handle: FileHandle | undefined
  #bytes = 0
  #synced = 0

  constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  get bytes(): number {
    return this.#bytes
  }

  async append(content: Uint8Array): Promise<void> {
    const handle = this.#open()
    let at = 0
    try {
      // A write may be cut short, for instance by a signal or by the last free block.
      while (at < content.length) {
        const { bytesWritten } = await handle.write(content, at, content.length - at, this.#bytes + at)
        at += bytesWritten
      }
    } catch (error) {
      throw writeError(error, this.path, this.#intact())
    }
    this.#bytes += content.length
  }

  async sync(): Promise<void> {
    const handle = this.#open()
    const bytes = this.#bytes
    try {
      await handle.datasync()
    } catch (error) {
      throw writeError(error, this.path, this.#intact())
    }
    this.#synced = bytes
  }

  async truncate(bytes: number): Promise<void> {
    try {
      await this.#open().truncate(bytes)
    } catch (error) {
      throw writeError(error, this.path, this.#intact())
    }
    this.#bytes = bytes
    this.#synced = Math.min(this.#synced, bytes)
  }

  async finish(target: string, options: { readonly overwrite?: boolean } = {}): Promise<void> {
    try {
      await this.#open().sync()
      this.#synced = this.#bytes
      await this.close()
      if (options.overwrite !== true && (await isTaken(target))) {
        throw new UserError(`${target} already exists`, {
          hint: `the finished data lies in ${this.path}; use --overwrite, or move the file out of the way`,
          code: 'target-exists',
        })
      }
      await rename(this.path, target)
      await syncFolder(dirname(target))
    } catch (error) {
      throw writeError(error, target, this.#intact())
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async discard(): Promise<void> {
    await this.close()
    await rm(this.path, { force: true })
  }

  #open(): FileHandle {
    if (this.#handle === undefined) throw new Error(`${this.path} was used after it was closed`)
    return this.#handle
  }

  #intact(): string {
    return `the first ${this.#synced.toLocaleString('en')} bytes of ${this.path} are intact`
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function shorter(path: string, bytes: number, committed: number): UserError {
  return new UserError(`${path} holds ${bytes} bytes, but ${committed} were recorded as written`, {
    hint: 'it was replaced or cut from outside; start the export anew with --new or --overwrite',
    code: 'part-file-changed',
  })
}
