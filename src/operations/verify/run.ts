import type { RunReport } from '../../core/report.ts'

/** What does not add up in a report; empty when its arithmetic holds (contract, section 4). */
export function verifyReport(report: RunReport): readonly string[] {
  const problems: string[] = []
  const same = (name: string, left: number, right: number): void => {
    if (left !== right) problems.push(`${name}: ${left} is not ${right}`)
  }
  if (report.mode === 'export') {
    same('written = scanned', report.written ?? 0, report.scanned)
    return problems
  }
  const { scanned, alreadyHeld, selected, pending, delivered, rejected, late, unresolved, archived, status } =
    report
  same('scanned = alreadyHeld + selected + pending', scanned, alreadyHeld + selected + pending)
  same(
    'selected = delivered + rejected + late + unresolved',
    selected,
    delivered + rejected + late + unresolved,
  )
  if (archived > late) problems.push(`archived: ${archived} of ${late} late events`)
  if (status === 'completed' && pending !== 0) problems.push(`completed, but ${pending} are pending`)
  if (status === 'completed' && unresolved !== 0) problems.push(`completed, but ${unresolved} are unresolved`)
  for (const [name, value] of Object.entries({
    scanned,
    alreadyHeld,
    selected,
    pending,
    delivered,
    rejected,
    late,
    unresolved,
  })) {
    if (value < 0) problems.push(`${name} is negative: ${value}`)
  }
  return problems
}
