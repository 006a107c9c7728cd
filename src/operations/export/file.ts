import { UserError } from '../../core/errors.ts'
import type { GrowingFile } from '../../core/export-disk.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { RecentIds } from './recent-ids.ts'
import { chunksOf, positionOf, type RowsEnd } from './rows.ts'
import {
  type ExportOptions,
  type ExportParts,
  type ExportProgress,
  NO_PROGRESS,
  type Watermark,
} from './types.ts'

/**
 * Writes one file beside its name, and gives it that name when it is whole. Every few seconds what was written is synced and recorded; a
 * killed export is cut back to that and goes on, and ends with the same bytes.
 */
export async function exportFile(
  parts: ExportParts,
  options: ExportOptions,
  target: string,
  from: {
    readonly checkpoints: Checkpoints
    readonly watermark: Watermark | undefined
    readonly recent: RecentIds | undefined
  },
): Promise<ExportProgress & RowsEnd> {
  const { disk, writer, observe } = parts
  const { checkpoints, watermark, recent } = from
  const partPath = `${target}.part`
  if (checkpoints.start.isWhole && !(await disk.exists(partPath)) && (await disk.exists(target)))
    // Killed between the file's new name and the ledger's.
    return { ...checkpoints.start, warnings: [], brokenLines: checkpoints.start.brokenLines }
  const { file, start } = await openPart(parts, options, partPath, checkpoints.start)
  let progress = start
  const append = async (raw: Uint8Array): Promise<void> => {
    const bytes = await disk.compress(options.compression, raw)
    await file.append(bytes)
  }
  try {
    if (progress.bytes === 0 && writer.header.length > 0) {
      await append(writer.header)
      progress = { ...progress, bytes: file.bytes, rawBytes: writer.header.length }
    }
    const chunks = chunksOf(parts, options, { after: progress.last, watermark })
    for (;;) {
      const step = await chunks.next()
      if (step.done) {
        const { warnings, brokenLines } = step.value
        progress = {
          ...progress,
          recent: recent?.list() ?? [],
          isWhole: true,
          brokenLines,
        }
        await checkpoints.commit(progress, () => file.sync())
        await file.finish(target, { overwrite: options.overwrite })
        return { ...progress, warnings, brokenLines }
      }
      parts.signal.throwIfAborted()
      const { events, doneThrough } = step.value
      const raw = writer.encode(events)
      await append(raw)
      recent?.note(events)
      const last = events.at(-1)
      progress = {
        ...progress,
        rows: progress.rows + events.length,
        bytes: file.bytes,
        rawBytes: progress.rawBytes + raw.length,
        last: last === undefined ? progress.last : positionOf(last),
      }
      observe?.({ phase: 'export', done: last?.occurredAtMs ?? doneThrough, events: progress.rows })
      await checkpoints.mayCommit(
        () => ({ ...progress, recent: recent?.list() ?? [] }),
        progress.rawBytes,
        () => file.sync(),
      )
    }
  } finally {
    await file.close()
  }
}

/** The part file, cut back to what was recorded. One that was taken away or cut is begun again when everything may be replaced anyway. */
async function openPart(
  { disk }: ExportParts,
  { overwrite }: ExportOptions,
  path: string,
  start: ExportProgress,
): Promise<{ readonly file: GrowingFile; readonly start: ExportProgress }> {
  try {
    return { file: await disk.openPart(path, { resumeAt: start.bytes }), start }
  } catch (error) {
    if (!overwrite || !(error instanceof UserError) || error.code !== 'part-file-changed') throw error
    return { file: await disk.openPart(path, { resumeAt: 0 }), start: NO_PROGRESS }
  }
}
