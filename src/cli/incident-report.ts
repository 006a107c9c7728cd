import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { escapeText } from '../core/escape-text.ts'
import type { RunReport } from '../core/report.ts'

/** What was lost, how it was found, what was refilled and what is gone, in Markdown; with hashes, and the commands to repeat it. */
export function incidentReport(report: RunReport): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  const { window } = report
  const rows: [string, string][] = [
    ['Run', report.run ?? '(dry run)'],
    ['Status', report.status],
    ['Source', report.source],
    ['Stream', report.stream ?? '-'],
    ['Window', `${window.from} to ${window.to}`],
    ['Recorded at the source', number(report.scanned)],
    ['Already held', number(report.alreadyHeld)],
    ['Delivered', number(report.delivered)],
    ['Rejected', number(report.rejected)],
    ['Too late', `${number(report.late)} (${number(report.archived)} archived)`],
    ['Unresolved', number(report.unresolved)],
    ['Not reached', number(report.pending)],
    ['Possibly sent twice', number(report.duplicatesPossible)],
    [
      'Verified',
      report.verified === null
        ? 'not asked'
        : report.verified
          ? 'yes, every delivered event was found'
          : `no, ${number(report.stillMissing ?? 0)} still missing`,
    ],
  ]
  const lines = [
    '# Audit stream incident',
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([name, value]) => `| ${name} | ${cell(value)} |`),
    '',
  ]
  lines.push('## How it was found', '')
  lines.push(
    report.mode === 'missing'
      ? 'Every event id of the source in the window was looked up in what the SIEM holds.'
      : 'The whole window was sent; what the SIEM held before was not looked up.',
    '',
  )
  const lost = Object.entries(report.notRebuilt ?? {})
  const gone = report.rejected + report.late - report.archived
  lines.push('## What is not in the SIEM', '')
  if (gone === 0 && report.unresolved === 0 && report.pending === 0)
    lines.push('Nothing that this run knows of.')
  if (gone > 0)
    lines.push(`- ${number(gone)} events in the dead letters: \`auditctl runs rejects ${report.run}\``)
  if (report.unresolved > 0)
    lines.push(
      `- ${number(report.unresolved)} events of unknown outcome: \`auditctl runs resume ${report.run}\``,
    )
  if (report.pending > 0) lines.push(`- ${number(report.pending)} events not reached`)
  for (const [field, count] of lost)
    lines.push(`- the field ${field} of ${number(count)} events could not be rebuilt`)
  if (report.problems.length > 0)
    lines.push('', '## Problems', '', ...report.problems.map((problem) => `- ${cell(problem)}`))
  if (report.warnings.length > 0)
    lines.push('', '## Warnings', '', ...report.warnings.map((warning) => `- ${cell(warning)}`))
  lines.push('', '## Evidence', '', `- report SHA-256: \`${sha256(JSON.stringify(report))}\``)
  if (report.deadLetter !== null && existsSync(report.deadLetter))
    lines.push(`- dead letters SHA-256: \`${sha256(readFileSync(report.deadLetter))}\``)
  lines.push('', '## To repeat it', '', '```sh')
  const pair = `--source ${report.source} --stream ${report.stream ?? ''} --from ${window.from} --to ${window.to}`
  lines.push(`auditctl gaps ${pair}`)
  if (report.run !== null) lines.push(`auditctl verify ${report.run}`, `auditctl runs show ${report.run}`)
  lines.push('```', '')
  return lines.join('\n')
}

function cell(text: string): string {
  return escapeText(text).replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
