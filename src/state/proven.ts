import type { TimeRange } from '../core/time-range.ts'
import type { Statements } from './statements.ts'

/** Windows of a pair in which every event was seen held, or is accounted for; disjoint, ascending, neighbours joined. */
export type ProvenWindows = {
  stretches(source: string, stream: string): readonly TimeRange[]
  add(source: string, stream: string, range: TimeRange): void
}

export function provenWindows(sql: Statements): ProvenWindows {
  const stretches = (source: string, stream: string): readonly TimeRange[] =>
    sql
      .all(
        'select from_ms, to_ms from proven where source = ? and stream = ? order by from_ms',
        source,
        stream,
      )
      .map((row) => ({ from: Number(row['from_ms']), to: Number(row['to_ms']) }))
  return {
    stretches,
    add(source, stream, range) {
      if (range.to <= range.from) return
      sql.transaction(() => {
        const merged = joined([...stretches(source, stream), range])
        sql.run('delete from proven where source = ? and stream = ?', source, stream)
        const insert = 'insert into proven (source, stream, from_ms, to_ms) values (?, ?, ?, ?)'
        for (const { from, to } of merged) sql.run(insert, source, stream, from, to)
      })
    },
  }
}

/** Ranges in ascending order with touching and overlapping ones made one. */
export function joined(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const result: { from: number; to: number }[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to)
    else result.push({ ...range })
  }
  return result
}
