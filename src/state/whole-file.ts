import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from './spool.ts'

/** Writes aside, syncs, renames: a reader sees the old file or the new one, never a part. */
export function writeFileWhole(path: string, content: string | Uint8Array, mode = 0o600): void {
  const aside = `${path}.${process.pid}.part`
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const fd = openSync(aside, 'w', mode)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at)
    fsyncSync(fd)
  } catch (cause) {
    rmSync(aside, { force: true })
    throw cause
  } finally {
    closeSync(fd)
  }
  renameSync(aside, path)
  syncFolder(dirname(path))
}
