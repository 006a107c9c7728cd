import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { LocalError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { isoTime } from '../../core/time-range.ts'
import { writeFileWhole } from '../../state/whole-file.ts'
import type { Prepared } from './encode.ts'
import { spanOf } from './ranges.ts'
import { spooledEvents } from './spooled-events.ts'
import type { Work } from './types.ts'

/** Where `late: archive` puts a run's events: a folder, or an object URL. */
export function archiveFolder({ parts, options, run }: Pick<Work, 'parts' | 'options' | 'run'>): string {
  return options.archiveDir ?? join(parts.ledger.folderOf(run.id), 'archive')
}

/**
 * Writes late events in Datadog's archive layout, `dt=YYYYMMDD/hour=HH/archive_HHMMSS.mmmm.<hash>.json.gz`, one file an hour of events and
 * call. The name comes from the content, so a repeat after a crash writes the same file again, or finds it in the bucket.
 * @throws LocalError when the folder cannot be written; what the bucket threw
 * @source specs: Datadog archives, `_id`, `date`, `attributes`
 */
export async function archiveEvents(
  work: Work,
  items: readonly Prepared[],
  signal: AbortSignal,
): Promise<void> {
  const { archive } = work.parts
  const root = archiveFolder(work)
  for (const { folder, name, content } of archiveFiles(work, items)) {
    if (archive === undefined) writeFile(join(root, folder), name, content)
    else await archive.write(`${folder}/${name}`, content, signal)
  }
}

type ArchiveFile = { readonly folder: string; readonly name: string; readonly content: Uint8Array }

function archiveFiles(work: Work, items: readonly Prepared[]): readonly ArchiveFile[] {
  const hours = new Map<string, { readonly firstMs: number; readonly lines: string[] }>()
  for (const { event } of spooledEvents(work.spool, work.parts.source.shape, spanOf(items))) {
    const hour = isoTime(event.occurredAtMs).slice(0, 13)
    const group = hours.get(hour) ?? { firstMs: event.occurredAtMs, lines: [] }
    group.lines.push(lineOf(work, event))
    hours.set(hour, group)
  }
  return [...hours].map(([hour, { firstMs, lines }]) => {
    const content = packed(`${lines.join('\n')}\n`)
    // Of the packed bytes: another release of zlib packs otherwise, and then it is another file, not a quarrel about this one.
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 22)
    const time = isoTime(firstMs).slice(11, 23).replaceAll(':', '')
    return {
      folder: `dt=${hour.slice(0, 10).replaceAll('-', '')}/hour=${hour.slice(11)}`,
      name: `archive_${time}0.${hash}.json.gz`,
      content,
    }
  })
}

/** The same bytes on every system. @source RFC 1952, section 2.3: byte 9 names the operating system, 255 none */
function packed(text: string): Uint8Array {
  const content = gzipSync(text, { level: 6 })
  content[9] = 255
  return content
}

function writeFile(folder: string, name: string, content: Uint8Array): void {
  const path = join(folder, name)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!existsSync(path)) writeFileWhole(path, content)
  } catch (cause) {
    throw new LocalError(
      `the archive ${path} could not be written: ${cause instanceof Error ? cause.message : cause}`,
      { cause, hint: 'check archive.dir of the stream, then run the same command again: it resumes' },
    )
  }
}

function lineOf({ parts }: Work, event: AuditEvent): string {
  const { shape, streamedSettings } = parts.source
  const streamed = Buffer.from(shape.asStreamed(event, streamedSettings).bytes).toString('utf8')
  const head = {
    _id: event.id,
    date: isoTime(event.occurredAtMs),
    service: shape.type,
    source: shape.type,
  }
  return `${JSON.stringify(head).slice(0, -1)},"attributes":${streamed}}`
}
