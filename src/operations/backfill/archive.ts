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

/** Where `late: archive` puts a run's events. */
export function archiveFolder({ parts, options, run }: Pick<Work, 'parts' | 'options' | 'run'>): string {
  return options.archiveDir ?? join(parts.ledger.folderOf(run.id), 'archive')
}

/**
 * Writes late events in Datadog's archive layout, `dt=YYYYMMDD/hour=HH/archive_HHMMSS.mmmm.<hash>.json.gz`, one file an hour of events and
 * call. The name comes from the content, so a repeat after a crash writes the same file again.
 * @throws LocalError when the folder cannot be written
 * @source specs: Datadog archives, `_id`, `date`, `attributes`
 */
export function archiveEvents(work: Work, items: readonly Prepared[]): void {
  const root = archiveFolder(work)
  const hours = new Map<string, { readonly firstMs: number; readonly lines: string[] }>()
  for (const { event } of spooledEvents(work.spool, work.parts.source.shape, spanOf(items))) {
    const hour = isoTime(event.occurredAtMs).slice(0, 13)
    const group = hours.get(hour) ?? { firstMs: event.occurredAtMs, lines: [] }
    group.lines.push(lineOf(work, event))
    hours.set(hour, group)
  }
  for (const [hour, { firstMs, lines }] of hours) {
    const text = `${lines.join('\n')}\n`
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 22)
    const folder = join(root, `dt=${hour.slice(0, 10).replaceAll('-', '')}`, `hour=${hour.slice(11)}`)
    const time = isoTime(firstMs).slice(11, 23).replaceAll(':', '')
    const path = join(folder, `archive_${time}0.${hash}.json.gz`)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      if (!existsSync(path)) writeFileWhole(path, gzipSync(text, { level: 6 }))
    } catch (cause) {
      throw new LocalError(
        `the archive ${path} could not be written: ${cause instanceof Error ? cause.message : cause}`,
        { cause, hint: 'check archive.dir of the stream, then run the same command again: it resumes' },
      )
    }
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
