import { IdDigest } from '../../core/id-digest.ts'
import type { Checkpoints } from './checkpoints.ts'
import { chunksOf, positionOf, type RowsEnd } from './rows.ts'
import type { ExportOptions, ExportParts, ExportProgress } from './types.ts'

/**
 * Writes one file beside its name, and gives it that name when it is whole. Every few seconds what was written is synced and recorded; a
 * killed export is cut back to that and goes on, and ends with the same bytes.
 */
export async function exportFile(
  parts: ExportParts,
  options: ExportOptions,
  target: string,
  checkpoints: Checkpoints,
): Promise<ExportProgress & RowsEnd> {
  const { disk, writer, observe } = parts
  let progress = checkpoints.start
  const file = await disk.openPart(`${target}.part`, { resumeAt: progress.bytes })
  const digest = new IdDigest()
  digest.addDigest(progress.idDigest)
  const append = async (raw: Uint8Array): Promise<void> => {
    const bytes = await disk.compress(options.compression, raw)
    await file.append(bytes)
  }
  try {
    if (progress.bytes === 0 && writer.header.length > 0) {
      await append(writer.header)
      progress = { ...progress, bytes: file.bytes, rawBytes: writer.header.length }
    }
    const chunks = chunksOf(parts, options, { after: progress.last, watermark: undefined })
    for (;;) {
      const step = await chunks.next()
      if (step.done) {
        await file.finish(target, { overwrite: options.overwrite })
        return { ...progress, idDigest: digest.hex(), ...step.value }
      }
      parts.signal.throwIfAborted()
      const { events, doneThrough } = step.value
      const raw = writer.encode(events)
      await append(raw)
      for (const event of events) digest.add(event.id)
      const last = events.at(-1)
      progress = {
        ...progress,
        rows: progress.rows + events.length,
        bytes: file.bytes,
        rawBytes: progress.rawBytes + raw.length,
        last: last === undefined ? progress.last : positionOf(last),
        idDigest: digest.hex(),
      }
      observe?.({ phase: 'export', done: last?.occurredAtMs ?? doneThrough, events: progress.rows })
      await checkpoints.mayCommit(progress, () => file.sync())
    }
  } finally {
    await file.close()
  }
}
