import { isoTime, type TimeRange } from '../core/time-range.ts'
import { folderPrefix } from '../storage/objects/hour-keys.ts'
import { archiveFolder } from '../storage/objects/layouts.ts'
import type { StoreSettings } from '../storage/objects/open-store.ts'
import type { RowKeys } from './archive-ids.ts'
import type { ArchivePlace } from './archive-objects.ts'

const FILES = { hive: 'dt=*/hour=*/*', circleci: 'year=*/month=*/day=*/hour=*/*', flat: '*.jsonl*' } as const

/** The same question for a person, in the SQL of DuckDB, which reads all three stores. */
export function queryText(
  name: string,
  store: StoreSettings,
  place: ArchivePlace,
  keys: RowKeys,
  window: TimeRange,
): { readonly query: string; readonly where: string; readonly feed: string } {
  const [from, to] = [isoTime(window.from), isoTime(window.to)]
  const root =
    store.kind === 'azure-blob'
      ? `azure://${store.container}/`
      : `${store.kind === 's3' ? 's3' : 'gs'}://${store.bucket}/`
  const [source = ''] = place.sources
  const folder =
    place.layout === 'hive' ? archiveFolder('hive', place.prefix, source) : folderPrefix(place.prefix)
  return {
    query: `COPY (SELECT ${keys.idKey} AS id FROM read_json_auto('${root}${folder}${FILES[place.layout]}') WHERE ${keys.timeKey} >= '${from}' AND ${keys.timeKey} < '${to}') TO 'ids.csv'`,
    where: 'DuckDB, with the extension of the store (httpfs or azure) and its credentials',
    feed: `auditctl gaps --stream ${name} --from ${from} --to ${to} --inventory ids.csv --inventory-field id --inventory-window ${from}/${to}`,
  }
}
