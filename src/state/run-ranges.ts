import type { RangeState, SpoolRange } from './run-record.ts'
import { rangeOf } from './run-rows.ts'
import type { Statements } from './statements.ts'

/** What is written before a request leaves. */
export type Intent = Omit<SpoolRange, 'state' | 'code' | 'reason'> & { readonly bytes: number }

export function saveIntent(sql: Statements, run: string, range: Intent): void {
  sql.run(
    `insert into ranges (run, first, count, spool_from, spool_to, state, sent_at, attempts, bytes) values (?, ?, ?, ?, ?, 'sending', ?, ?, ?)
     on conflict (run, first) do update set count = excluded.count, spool_to = excluded.spool_to, state = 'sending', sent_at = excluded.sent_at, attempts = excluded.attempts, bytes = excluded.bytes`,
    run,
    range.first,
    range.count,
    range.spoolFrom,
    range.spoolTo,
    range.sentAt ?? null,
    range.attempts,
    range.bytes,
  )
}

/** Replaces what was known of the stretch that `pieces` cover. */
export function replaceRanges(sql: Statements, run: string, pieces: readonly SpoolRange[]): void {
  const start = pieces[0]?.first ?? 0
  const end = pieces.reduce((max, piece) => Math.max(max, piece.first + piece.count), 0)
  if (end > start) sql.run('delete from ranges where run = ? and first >= ? and first < ?', run, start, end)
  for (const piece of pieces) {
    sql.run(
      'insert into ranges (run, first, count, spool_from, spool_to, state, sent_at, attempts, code, reason) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      run,
      piece.first,
      piece.count,
      piece.spoolFrom,
      piece.spoolTo,
      piece.state,
      piece.sentAt ?? null,
      piece.attempts,
      piece.code ?? null,
      piece.reason ?? null,
    )
  }
}

/** Requests of which only the intent is known, and what they carried. */
export function lostRequests(
  sql: Statements,
  run: string,
): { readonly requests: number; readonly retries: number; readonly bytes: number } {
  const [sum] = sql.all(
    `select count(*) as requests, coalesce(sum(bytes), 0) as bytes, coalesce(sum(attempts > 1), 0) as retries
     from ranges where run = ? and state = 'sending'`,
    run,
  )
  const number = (name: string): number => Number(sum?.[name])
  return { requests: number('requests'), retries: number('retries'), bytes: number('bytes') }
}

/** In the order of the spool. */
export function rangesOf(sql: Statements, run: string): readonly SpoolRange[] {
  return sql.all('select * from ranges where run = ? order by first', run).map(rangeOf)
}

export function totalsOf(sql: Statements, run: string): Readonly<Partial<Record<RangeState, number>>> {
  const rows = sql.all('select state, sum(count) as total from ranges where run = ? group by state', run)
  return Object.fromEntries(rows.map((row) => [row['state'], Number(row['total'])]))
}
