import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportDisk } from '../core/export-disk.ts'
import { MANIFEST_FILE, type Manifest } from '../core/manifest.ts'
import { compressMember } from '../storage/compress.ts'
import { codeOf, readError } from '../storage/disk-errors.ts'
import { openPartFile } from '../storage/part-file.ts'
import { makePrivateFolder, replaceFile } from '../storage/private-files.ts'

/** The disk as exports use it. */
export function exportDisk(): ExportDisk {
  const read = async (path: string): Promise<string | undefined> => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw readError(error, path)
    }
  }
  return {
    openPart: openPartFile,
    exists: (path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    makeFolder: makePrivateFolder,
    replace: replaceFile,
    remove: (path) => rm(path, { force: true }),
    read,
    compress: compressMember,
    async clearExport(folder) {
      const text = await read(join(folder, MANIFEST_FILE))
      if (text === undefined) return
      // Only what its own manifest names: a folder may hold other things that are not ours to remove.
      const { files } = JSON.parse(text) as Manifest
      for (const { path } of files) if (isInside(path)) await rm(join(folder, path), { force: true })
      await rm(join(folder, MANIFEST_FILE), { force: true })
    },
  }
}

/** A manifest is data: a path in it must not lead out of its folder. */
export function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split(/[/\\]/).includes('..')
}
