import type { RangeState, RunGap, SpoolRange } from '../../state/run-record.ts'

/** A gap and what became of its events. `others`: of unknown outcome, or not reached. */
export type GapFate = RunGap & {
  readonly delivered: number
  readonly lost: number
  readonly archived: number
  readonly others: number
}

const LOST: ReadonlySet<RangeState> = new Set(['rejected', 'late'])

/** Gaps and ranges lie in the same order: the spool's. What an earlier run had given up on lies in no spool, and counts as lost. */
export function gapFates(gaps: readonly RunGap[], ranges: readonly SpoolRange[]): readonly GapFate[] {
  let next = 0
  return gaps.map((gap) => {
    const end = gap.spoolFirst + gap.spooled
    while (next < ranges.length && endOf(ranges[next]) <= gap.spoolFirst) next += 1
    let [delivered, lost, archived] = [0, gap.missing - gap.spooled, 0]
    for (let i = next; i < ranges.length; i += 1) {
      const range = ranges[i] as SpoolRange
      if (range.first >= end) break
      const shared = Math.min(end, endOf(range)) - Math.max(gap.spoolFirst, range.first)
      if (range.state === 'delivered') delivered += shared
      else if (range.state === 'archived') archived += shared
      else if (LOST.has(range.state)) lost += shared
    }
    return { ...gap, delivered, lost, archived, others: gap.missing - delivered - lost - archived }
  })
}

function endOf(range: SpoolRange | undefined): number {
  return (range?.first ?? 0) + (range?.count ?? 0)
}

/** Why events were not delivered: by code, the most frequent first. */
export type Refusal = {
  readonly state: 'rejected' | 'late' | 'archived'
  readonly code: string
  readonly events: number
  /** Of the first of them. */
  readonly reason: string
}

export function refusalsOf(ranges: readonly SpoolRange[]): readonly Refusal[] {
  const found = new Map<string, Refusal>()
  for (const { state, code = '', reason = '', count } of ranges) {
    if (state !== 'rejected' && state !== 'late' && state !== 'archived') continue
    const key = `${state} ${code}`
    const before = found.get(key)
    found.set(key, { state, code, reason: before?.reason ?? reason, events: (before?.events ?? 0) + count })
  }
  return [...found.values()].sort((a, b) => b.events - a.events)
}
