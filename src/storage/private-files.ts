import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, writeError } from './disk-errors.ts'

export const PRIVATE_FILE = 0o600
export const PRIVATE_FOLDER = 0o700

/** Makes the folder and those above it that are missing, each for the owner only; one that exists keeps its mode. */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER })
  } catch (error) {
    throw writeError(error, path, 'nothing was changed')
  }
}

/** Makes the names in a folder durable: a renamed file survives a power loss only after this. */
export async function syncFolder(path: string): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>> | undefined
  try {
    handle = await open(path, 'r')
    await handle.sync()
  } catch (error) {
    // Windows and some network file systems cannot open or sync a folder; there the rename alone has to do.
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error
  } finally {
    await handle?.close()
  }
}

/** Replaces the file at once: readers see the old content or the new one, also after a crash. Mode 0600. */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(aside, 'wx', PRIVATE_FILE)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(aside, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(aside, { force: true })
    throw writeError(error, path, 'the file that was there before is untouched')
  }
}
