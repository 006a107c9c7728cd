import type { TimeRange } from '../core/time-range.ts'

/** Windows of a pair in which every event was seen held, or is accounted for; disjoint, ascending, neighbours joined. */
export type ProvenWindows = {
  stretches(source: string, stream: string): readonly TimeRange[]
  add(source: string, stream: string, range: TimeRange): void
}

type Values = readonly (string | number | null)[]

export function provenWindows(
  all: (sql: string, values: Values) => Record<string, unknown>[],
  transaction: (work: () => void) => void,
): ProvenWindows {
  const stretches = (source: string, stream: string): readonly TimeRange[] =>
    all('select from_ms, to_ms from proven where source = ? and stream = ? order by from_ms', [
      source,
      stream,
    ]).map((row) => ({
      from: Number(row['from_ms']),
      to: Number(row['to_ms']),
    }))
  return {
    stretches,
    add(source, stream, range) {
      if (range.to <= range.from) return
      transaction(() => {
        const merged = joined([...stretches(source, stream), range])
        all('delete from proven where source = ? and stream = ?', [source, stream])
        for (const piece of merged)
          all('insert into proven (source, stream, from_ms, to_ms) values (?, ?, ?, ?)', [
            source,
            stream,
            piece.from,
            piece.to,
          ])
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
