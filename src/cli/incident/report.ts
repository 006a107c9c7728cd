import { createHash } from 'node:crypto'
import { formatDuration } from '../../core/duration.ts'
import { count } from '../counted.ts'
import type { Incident } from './collect.ts'
import { repeatCommands } from './commands.ts'
import { block, code, plain, table } from './markdown.ts'
import { foundSection, goneSection, lostSection, refilledSection, writtenSection } from './sections.ts'

/**
 * What was lost and when, how it was found, what was refilled and what is gone for good, in Markdown; with hashes, and the commands to
 * repeat it. Of an export: what was written.
 */
export function incidentReport(incident: Incident): string {
  const { report } = incident
  const isExport = report.mode === 'export'
  const sections = isExport
    ? [writtenSection(incident)]
    : [lostSection(incident), foundSection(incident), refilledSection(incident), goneSection(incident)]
  const parts = [
    `# ${isExport ? 'Audit log export' : 'Audit stream incident'}`,
    table(['', ''], summaryRows(incident)),
    ...sections,
    listSection('Problems', report.problems),
    listSection('Warnings', report.warnings),
    evidenceSection(incident),
    `## To repeat it\n\n${block(repeatCommands(report, incident.question), 'sh')}`,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function summaryRows({ report }: Incident): readonly (readonly string[])[] {
  const rows: [string, string][] = [
    ['Run', report.run === null ? '(dry run)' : code(report.run)],
    ['Status', report.status],
    ['Source', code(report.source)],
  ]
  if (report.mode !== 'export') rows.push(['Stream', code(report.stream ?? '-')])
  rows.push(['Window', `${report.window.from} to ${report.window.to} (UTC, end excluded)`])
  if (report.createdAt !== undefined)
    rows.push(['Begun', `${report.createdAt}, took ${formatDuration(report.durationMs)}`])
  rows.push(['Recorded at the source', count(report.scanned)])
  if (report.mode === 'export') return [...rows, ['Written', count(report.written ?? 0)]]
  if (report.mode !== 'all') rows.push(['Held already', count(report.alreadyHeld)])
  rows.push(['Delivered', count(report.delivered)])
  rows.push(['Rejected', count(report.rejected)])
  rows.push(['Too late', `${count(report.late)} (${count(report.archived)} archived)`])
  rows.push(['Unresolved', count(report.unresolved)])
  rows.push(['Not reached', count(report.pending)])
  rows.push(['Possibly sent twice', count(report.duplicatesPossible)])
  rows.push(['Verified', verifiedText(report)])
  if (report.provenUntil) rows.push(['Proven until', report.provenUntil])
  return rows
}

function verifiedText({ verified, stillMissing }: Incident['report']): string {
  if (verified === null) return 'not asked'
  return verified ? 'yes, every delivered event was found' : `no, ${count(stillMissing ?? 0)} still missing`
}

function listSection(title: string, texts: readonly string[]): string {
  return texts.length === 0 ? '' : `## ${title}\n\n${texts.map((text) => `- ${plain(text)}`).join('\n')}`
}

function evidenceSection({ report, evidence, question, version }: Incident): string {
  const hash = createHash('sha256')
    .update(`${JSON.stringify(report)}\n`)
    .digest('hex')
  const how =
    report.run === null ? '' : `, of what ${code(`auditctl runs show ${report.run} -o json`)} prints`
  const lines = [`- report: SHA-256 ${code(hash)}${how}`]
  for (const { what, path, sha256 } of evidence)
    lines.push(
      `- ${what}: ${code(path)}, ${sha256 === undefined ? 'which is gone' : `SHA-256 ${code(sha256)}`}`,
    )
  if (report.mode === 'export' && report.run !== null)
    lines.push(`- ${code(`auditctl verify ${report.run}`)} checks every file against it, offline`)
  if (question?.mark === true)
    lines.push('- each event that was sent carries `auditctl: { run, backfilledAt }`')
  lines.push(`- made by auditctl ${plain(version)}`)
  return `## Evidence\n\n${lines.join('\n')}`
}
