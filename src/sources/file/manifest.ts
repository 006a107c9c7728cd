import { readFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { instantOfText } from '../../core/instant.ts'
import type { TimeRange } from '../../core/time-range.ts'

export type ExportManifest = {
  readonly isComplete: boolean
  /** Whether the file is one that the manifest lists, still of the listed length, with all its events outside the window. */
  isOutside(path: string, bytes: number, window: TimeRange): boolean
}

/** The manifest of a folder that an export wrote; undefined where there is none that can be read: then every file is. */
export async function readManifest(path: string, baseDir: string): Promise<ExportManifest | undefined> {
  if (path === '-') return undefined
  const folder = isAbsolute(path) ? path : resolve(baseDir, path)
  let manifest: unknown
  try {
    manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
  } catch {
    return undefined
  }
  if (
    manifest === null ||
    typeof manifest !== 'object' ||
    !('files' in manifest) ||
    !Array.isArray(manifest.files)
  ) {
    return undefined
  }
  const listed = new Map<string, { readonly bytes: number; readonly from: number; readonly to: number }>()
  for (const file of manifest.files as unknown[]) {
    const entry = fileOf(file)
    if (entry !== undefined) listed.set(join(folder, entry.path), entry)
  }
  return {
    isComplete: !('complete' in manifest) || manifest.complete !== false,
    isOutside(file, bytes, window) {
      const entry = listed.get(file)
      return (
        entry !== undefined && entry.bytes === bytes && (entry.to < window.from || entry.from >= window.to)
      )
    },
  }
}

function fileOf(
  value: unknown,
): { readonly path: string; readonly bytes: number; readonly from: number; readonly to: number } | undefined {
  if (value === null || typeof value !== 'object') return undefined
  const { path, bytes, firstTime, lastTime } = value as Record<string, unknown>
  if (typeof path !== 'string' || typeof bytes !== 'number') return undefined
  if (typeof firstTime !== 'string' || typeof lastTime !== 'string') return undefined
  try {
    return { path, bytes, from: instantOfText(firstTime), to: instantOfText(lastTime) }
  } catch {
    return undefined
  }
}
