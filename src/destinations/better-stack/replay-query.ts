import type { BetterStackOptions } from './options.ts'

/** SQL for what both stores hold without the events of a marked run. */
export function replayQuery({ search }: BetterStackOptions, run: string): string {
  const table = search?.table ?? 't<team>_<source>'
  const hot = `remote(${table}_${search?.kind === 'warehouse' ? 'events' : 'logs'})`
  const archive = `s3Cluster(primary, ${table}_s3)`
  const isOther = `JSONExtractString(raw,'auditctl','run') != '${run.replace(/[\\']/g, '\\$&')}'`
  return [
    `SELECT dt, raw FROM ${hot} WHERE ${isOther}`,
    `SELECT dt, raw FROM ${archive} WHERE _row_type = 1 AND ${isOther}`,
  ].join(' UNION ALL ')
}
