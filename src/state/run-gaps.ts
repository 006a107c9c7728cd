import type { RunGap } from './run-record.ts'
import type { Statements } from './statements.ts'

/** A gap that goes on in a later slice replaces what was known of it. Of a dry run, which is not recorded, nothing is kept. */
export function saveGap(sql: Statements, run: string, gap: RunGap): void {
  sql.run(
    'insert or replace into gaps (run, n, from_ms, to_ms, missing, spool_first, spooled, first_id, last_id, is_open) select id, ?, ?, ?, ?, ?, ?, ?, ?, ? from runs where id = ?',
    gap.n,
    gap.range.from,
    gap.range.to,
    gap.missing,
    gap.spoolFirst,
    gap.spooled,
    gap.firstId,
    gap.lastId,
    gap.isOpen ? 1 : 0,
    run,
  )
}

export function gapsOf(sql: Statements, run: string): readonly RunGap[] {
  return sql.all('select * from gaps where run = ? order by n', run).map((row) => ({
    n: Number(row['n']),
    range: { from: Number(row['from_ms']), to: Number(row['to_ms']) },
    missing: Number(row['missing']),
    spoolFirst: Number(row['spool_first']),
    spooled: Number(row['spooled']),
    firstId: String(row['first_id']),
    lastId: String(row['last_id']),
    isOpen: row['is_open'] === 1,
  }))
}
