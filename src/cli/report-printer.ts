import { formatDuration } from '../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import type { BackfillPlan, RunReport } from '../core/report.ts'
import { writeFileWhole } from '../state/whole-file.ts'
import { outputFlag } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { StreamMetrics } from './metrics.ts'
import type { Runtime } from './runtime.ts'

/** Prints a run's report: words on a terminal, JSON in a pipe; also to `--report` and `--report-md`. Quiet on success with `-q`. */
export async function printReport(
  report: RunReport,
  exitCode: ExitCode,
  invocation: Invocation,
  runtime: Runtime,
): Promise<void> {
  runtime.metrics.streams.push(metricsOf(report))
  for (const warning of report.warnings) runtime.log.warn(warning)
  writeAside(textOption(invocation, 'report'), `${JSON.stringify(report)}\n`, '--report')
  if (textOption(invocation, 'reportMd') !== undefined) {
    const { incidentReport } = await import('./incident-report.ts')
    writeAside(textOption(invocation, 'reportMd'), incidentReport(report), '--report-md')
  }
  const output = outputFlag(invocation)
  if (output === undefined && runtime.quiet && exitCode === EXIT.done) return
  const format = output ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
  if (format === 'table') await runtime.output.write(reportText(report))
  else await runtime.output.write(`${JSON.stringify(report)}\n`)
  if (exitCode !== EXIT.done && report.problems.length > 0) {
    const { problemsText } = await import('./report-error.ts')
    runtime.io.stderr.write(problemsText(report.problems, exitCode, invocation))
  }
}

function metricsOf(report: RunReport): StreamMetrics {
  const { source, stream, scanned, alreadyHeld, delivered, rejected, late, unresolved } = report
  const missing = report.mode === 'missing' ? { missing: scanned - alreadyHeld } : {}
  return {
    source,
    stream: stream ?? undefined,
    scanned,
    ...missing,
    delivered,
    rejected,
    late,
    unresolved,
    provenUntil: report.provenUntil ?? null,
  }
}

function writeAside(path: string | undefined, text: string, flag: string): void {
  if (path === undefined) return
  try {
    writeFileWhole(path, text)
  } catch (cause) {
    throw new UserError(`${flag}: ${path} cannot be written`, { cause })
  }
}

const number = (value: number): string => value.toLocaleString('en-US')

export function planText(plan: BackfillPlan): string {
  const lines = [
    `events      ${number(plan.events)} in ${number(plan.batches)} requests, ${bytesText(plan.bytes)}`,
    `times       ${plan.oldest ?? '-'} to ${plan.newest ?? '-'}`,
  ]
  if (plan.late > 0)
    lines.push(`late        ${number(plan.late)} outside what the destination keeps under their own time`)
  if (plan.rejected > 0) lines.push(`refused     ${number(plan.rejected)} that can never be delivered`)
  lines.push(`takes about ${formatDuration(plan.estimatedSeconds * 1000)}`)
  lines.push(
    `read with   ${number(plan.sourceRequests)} requests to the source, ${number(plan.inventoryQueries)} searches`,
  )
  return `${lines.join('\n')}\n`
}

export function reportText(report: RunReport): string {
  const lines = [
    `run         ${report.run ?? '(dry run)'}  ${report.status}`,
    `window      ${report.window.from} to ${report.window.to}`,
    `scanned     ${number(report.scanned)} events of ${report.source}`,
  ]
  if (report.mode === 'export') {
    lines.push(`written     ${number(report.written ?? 0)} to ${report.out ?? '-'}`)
    return `${lines.join('\n')}\n`
  }
  if (report.mode === 'missing') lines.push(`held        ${number(report.alreadyHeld)} by ${report.stream}`)
  if (report.plan !== undefined) return `${lines.join('\n')}\n${planText(report.plan)}`
  lines.push(
    `delivered   ${number(report.delivered)} in ${number(report.requests)} requests (${report.retries} retries), ${bytesText(report.bytesSent)}`,
  )
  const others = [
    [report.rejected, 'rejected'],
    [report.late, 'late'],
    [report.archived, 'archived'],
    [report.unresolved, 'unresolved'],
    [report.pending, 'pending'],
    [report.duplicatesPossible, 'possibly sent twice'],
  ] as const
  const met = others.filter(([count]) => count > 0).map(([count, word]) => `${number(count)} ${word}`)
  if (met.length > 0) lines.push(`not sent    ${met.join(', ')}`)
  if (report.verified !== null) {
    lines.push(
      `verified    ${report.verified ? 'every delivered event was found' : `${number(report.stillMissing ?? 0)} still missing`}`,
    )
  }
  const lost = Object.entries(report.notRebuilt ?? {})
  for (const [field, count] of lost)
    lines.push(`not rebuilt ${field} of ${number(count)} events: the source no longer tells it`)
  if (report.deadLetter !== null) lines.push(`dead letter ${report.deadLetter}`)
  if (report.provenUntil) lines.push(`proven      until ${report.provenUntil}`)
  lines.push(`took        ${formatDuration(report.durationMs)}`)
  return `${lines.join('\n')}\n`
}

function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`
}
