import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeFileWhole } from '../../state/whole-file.ts'
import type { Prepared } from './encode.ts'
import type { Work } from './types.ts'

/**
 * Writes late events in Datadog's archive layout, `dt=YYYYMMDD/hour=HH/archive_HHMMSS.mmmm.<hash>.json.gz`, one file an hour of events and
 * call. The name comes from the content, so a repeat after a crash writes the same file again.
 * @source specs: Datadog archives, `_id`, `date`, `attributes`
 */
export function archiveEvents(work: Work, items: readonly Prepared[]): void {
  const root = work.options.archiveDir ?? join(work.parts.ledger.folderOf(work.run.id), 'archive')
  const { shape } = work.parts.source
  const hours = new Map<string, Prepared[]>()
  for (const item of items) {
    const hour = new Date(item.atMs).toISOString().slice(0, 13)
    const group = hours.get(hour)
    if (group === undefined) hours.set(hour, [item])
    else group.push(item)
  }
  for (const [hour, group] of hours) {
    const lines = group.map(({ event }) => {
      const streamed = Buffer.from(
        shape.asStreamed(event, work.parts.source.streamedSettings).bytes,
      ).toString('utf8')
      const head = {
        _id: event.id,
        date: new Date(event.occurredAtMs).toISOString(),
        service: shape.type,
        source: shape.type,
      }
      return `${JSON.stringify(head).slice(0, -1)},"attributes":${streamed}}`
    })
    const text = `${lines.join('\n')}\n`
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 22)
    const folder = join(root, `dt=${hour.slice(0, 10).replaceAll('-', '')}`, `hour=${hour.slice(11)}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const time = new Date(group[0]?.atMs ?? 0)
      .toISOString()
      .slice(11, 23)
      .replaceAll(':', '')
      .replace('.', '.')
    const name = `archive_${time}0.${hash}.json.gz`
    if (existsSync(folder) && readdirSync(folder).includes(name)) continue
    writeFileWhole(join(folder, name), gzipSync(text, { level: 6 }))
  }
}
