import { compileFilter, type EventFilter, type FilterName } from '../core/filter.ts'
import type { AuditSource, Page, Trail } from '../core/source.ts'
import type { TimeRange } from '../core/time-range.ts'

export type TrailAsked = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly signal: AbortSignal
}

/** The events of the window in which the field has that value, read through the source's own filters: the server is asked for those alone. */
export async function filteredTrail(
  source: AuditSource,
  field: Exclude<FilterName, 'event'>,
  value: string,
  { window, filter: given, signal }: TrailAsked,
): Promise<Trail> {
  const filter = { ...given, fields: { ...given.fields, [field]: value } }
  const matches = compileFilter(filter, source.shape.filters, source.name)
  const opened = await source.open(window, filter, { order: 'asc', concurrency: 1, signal })
  async function* events(): AsyncGenerator<Page> {
    try {
      for await (const slice of opened.slices())
        for await (const page of opened.read(slice, signal)) yield page.filter(matches)
    } finally {
      await opened.close()
    }
  }
  return { events: events(), lines: () => [], summary: () => undefined, warnings: () => opened.warnings() }
}
