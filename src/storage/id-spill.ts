import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IdSpill } from '../core/id-diff.ts'
import { readError, writeError } from './disk-errors.ts'
import { PRIVATE_FILE } from './private-files.ts'

/** A spill in a private folder of its own, which `close` removes with it. @throws LocalError */
export function temporarySpill(): FileSpill {
  const folder = join(tmpdir(), 'auditctl-')
  try {
    return new FileSpill(mkdtempSync(folder), { ownsFolder: true })
  } catch (error) {
    throw writeError(error, folder, 'nothing was changed')
  }
}

/** A temporary file in `folder` for ids that outgrew memory; `close` removes it. */
export class FileSpill implements IdSpill {
  readonly #path: string
  readonly #folder: string | undefined
  #file: number | undefined
  #length = 0

  constructor(folder: string, { ownsFolder = false }: { readonly ownsFolder?: boolean } = {}) {
    this.#path = join(folder, 'ids')
    this.#folder = ownsFolder ? folder : undefined
  }

  append(bytes: Uint8Array): number {
    const position = this.#length
    try {
      this.#file ??= openSync(this.#path, 'w+', PRIVATE_FILE)
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file, bytes, at, bytes.length - at, position + at)
      }
    } catch (error) {
      throw writeError(error, this.#path, 'it holds temporary copies of ids, and nothing was lost')
    }
    this.#length += bytes.length
    return position
  }

  read(position: number, into: Uint8Array): void {
    try {
      for (let at = 0; at < into.length; ) {
        if (this.#file === undefined) throw new Error('the spill was read before it was written')
        const count = readSync(this.#file, into, at, into.length - at, position + at)
        if (count === 0)
          throw Object.assign(new Error('it is shorter than what was written'), { code: 'EIO' })
        at += count
      }
    } catch (error) {
      throw readError(error, this.#path)
    }
  }

  close(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) {
      closeSync(file)
      rmSync(this.#path, { force: true })
    }
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}
