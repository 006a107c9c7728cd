import { glob, readdir, readFile, rm, stat } from 'node:fs/promises'
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
    isFolder: (path) =>
      stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ),
    async isEmpty(path) {
      try {
        return (await readdir(path)).every((name) => name === 'lost+found')
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return true
        throw readError(error, path)
      }
    },
    makeFolder: makePrivateFolder,
    replace: replaceFile,
    remove: (path) => rm(path, { force: true }),
    read,
    compress: compressMember,
    async clearExport(folder) {
      // Only what is ours: a folder may hold other things.
      for (const path of await exportedFiles(folder, await read(join(folder, MANIFEST_FILE))))
        await rm(join(folder, path), { force: true })
      await rm(join(folder, MANIFEST_FILE), { force: true })
    },
  }
}

/** A manifest is data: a path in it must not lead out of its folder. */
export function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split(/[/\\]/).includes('..')
}

/** What the manifest names; without one (the export was stopped, or the manifest is damaged), what is named like a file of an export. */
async function exportedFiles(folder: string, manifest: string | undefined): Promise<readonly string[]> {
  try {
    if (manifest !== undefined)
      return (JSON.parse(manifest) as Manifest).files.map(({ path }) => path).filter(isInside)
  } catch {
    // A damaged manifest names nothing.
  }
  const found: string[] = []
  const pattern = 'dt=????-??-??/hour=??/part-????.{jsonl,csv}{,.gz,.zst}{,.part}'
  for await (const path of glob(pattern, { cwd: folder })) found.push(path)
  return found
}
