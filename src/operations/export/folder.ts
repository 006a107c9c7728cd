import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { type AuditEvent, SpanEvent } from '../../core/event.ts'
import { COMPRESSED_SUFFIX, type GrowingFile } from '../../core/export-disk.ts'
import { IdDigest } from '../../core/id-digest.ts'
import type { ManifestFile } from '../../core/manifest.ts'
import { HOUR_MS, isoTime } from '../../core/time-range.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { RecentIds } from './recent-ids.ts'
import { CHUNK_ROWS, chunksOf, positionOf, type RowsEnd } from './rows.ts'
import type { ExportOptions, ExportParts, ExportProgress, Position, Watermark } from './types.ts'

/**
 * Writes Hive-style `dt=YYYY-MM-DD/hour=HH/part-NNNN.jsonl` files under the folder, an hour of events each. A finished hour is recorded; a
 * killed export begins its unfinished hour again. `taken`: files that an earlier export of the same name left there.
 */
export async function exportFolder(
  parts: ExportParts,
  options: ExportOptions,
  folder: string,
  from: {
    readonly checkpoints: Checkpoints
    readonly watermark: Watermark | undefined
    readonly taken: readonly ManifestFile[]
    readonly recent: RecentIds | undefined
  },
): Promise<ExportProgress & RowsEnd> {
  let progress = from.checkpoints.start
  let hour: HourFile | undefined
  const close = async (): Promise<void> => {
    if (hour === undefined) return
    const { file, digest, last } = await hour.finish()
    hour = undefined
    const sum = new IdDigest()
    sum.addDigest(progress.idDigest)
    sum.addDigest(digest)
    progress = {
      ...progress,
      rows: progress.rows + file.rows,
      bytes: progress.bytes + file.bytes,
      rawBytes: progress.rawBytes + file.rawBytes,
      last: positionOf(last),
      files: [...progress.files, file],
      idDigest: sum.hex(),
      recent: from.recent?.list() ?? [],
    }
    await from.checkpoints.commit(progress, async () => {})
  }
  try {
    const chunks = chunksOf(parts, options, { after: progress.last, watermark: from.watermark })
    for (;;) {
      const step = await chunks.next()
      if (step.done) {
        await close()
        return { ...progress, ...step.value }
      }
      parts.signal.throwIfAborted()
      for (const event of step.value.events) {
        const start = event.occurredAtMs - (event.occurredAtMs % HOUR_MS)
        if (hour !== undefined && hour.start !== start) await close()
        hour ??= await HourFile.open(parts, options, folder, start, {
          taken: [...from.taken, ...progress.files],
          recent: from.recent,
        })
        if (hour.add(event)) await hour.flush()
      }
      parts.observe?.({
        phase: 'export',
        done: step.value.events.at(-1)?.occurredAtMs ?? 0,
        events: progress.rows + (hour?.rows ?? 0),
      })
    }
  } finally {
    await hour?.abandon()
  }
}

/** `dt=2026-11-20/hour=02`. */
export function hourFolder(start: number): string {
  const iso = isoTime(start)
  return `dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}`
}

class HourFile {
  readonly start: number
  rows = 0
  readonly #parts: ExportParts
  readonly #options: ExportOptions
  readonly #folder: string
  readonly #path: string
  readonly #file: GrowingFile
  readonly #recent: RecentIds | undefined
  readonly #hash: Hash = createHash('sha256')
  readonly #digest = new IdDigest()
  #rawBytes = 0
  #pending: AuditEvent[] = []
  #first: Position | undefined
  #last: AuditEvent | undefined

  private constructor(
    parts: ExportParts,
    options: ExportOptions,
    place: {
      readonly folder: string
      readonly start: number
      readonly path: string
      readonly file: GrowingFile
      readonly recent: RecentIds | undefined
    },
  ) {
    this.#parts = parts
    this.#options = options
    this.#folder = place.folder
    this.#path = place.path
    this.#file = place.file
    this.#recent = place.recent
    this.start = place.start
  }

  static async open(
    parts: ExportParts,
    options: ExportOptions,
    folder: string,
    start: number,
    from: { readonly taken: readonly ManifestFile[]; readonly recent: RecentIds | undefined },
  ): Promise<HourFile> {
    const place = hourFolder(start)
    const number = from.taken.filter(({ path }) => path.startsWith(`${place}/`)).length
    const path = `${place}/part-${String(number).padStart(4, '0')}.${options.format}${COMPRESSED_SUFFIX[options.compression]}`
    await parts.disk.makeFolder(join(folder, place))
    const file = await parts.disk.openPart(join(folder, `${path}.part`), { resumeAt: 0 })
    const hour = new HourFile(parts, options, { folder, start, path, file, recent: from.recent })
    if (parts.writer.header.length > 0) await hour.#append(parts.writer.header)
    return hour
  }

  /** True when a chunk is full and must be flushed. */
  add(event: AuditEvent): boolean {
    this.#pending.push(event)
    if (event instanceof SpanEvent) this.#digest.addAt(event.buffer, event.idStart, event.idEnd)
    else this.#digest.add(event.id)
    this.#first ??= positionOf(event)
    this.#last = event
    this.rows += 1
    return this.#pending.length >= CHUNK_ROWS
  }

  async flush(): Promise<void> {
    if (this.#pending.length === 0) return
    const events = this.#pending
    this.#pending = []
    this.#recent?.note(events)
    await this.#append(this.#parts.writer.encode(events))
  }

  async finish(): Promise<{
    readonly file: ManifestFile
    readonly digest: string
    readonly last: AuditEvent
  }> {
    await this.flush()
    const [first, last] = [this.#first as Position, this.#last as AuditEvent]
    const bytes = this.#file.bytes
    await this.#file.finish(join(this.#folder, this.#path), { overwrite: true })
    const file: ManifestFile = {
      path: this.#path,
      bytes,
      rawBytes: this.#rawBytes,
      sha256: this.#hash.digest('hex'),
      rows: this.rows,
      firstTime: first.time,
      lastTime: last.occurredAt,
      firstId: first.id,
      lastId: last.id,
    }
    return { file, digest: this.#digest.hex(), last }
  }

  async abandon(): Promise<void> {
    await this.#file.discard()
  }

  async #append(raw: Uint8Array): Promise<void> {
    this.#rawBytes += raw.length
    const bytes = await this.#parts.disk.compress(this.#options.compression, raw)
    this.#hash.update(bytes)
    await this.#file.append(bytes)
  }
}
