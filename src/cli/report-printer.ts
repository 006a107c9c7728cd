import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatDuration } from '../core/duration.ts'
import { EXIT, UserError } from '../core/errors.ts'
import type { BackfillPlan, RunReport } from '../core/report.ts'
import type { Result } from '../operations/backfill/conclude.ts'
import type { Ledger } from '../state/ledger.ts'
import { writeFileWhole } from '../state/whole-file.ts'
import { bytesText } from './bytes-text.ts'
import { counted } from './counted.ts'
import { outputFlag } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { StreamMetrics } from './metrics.ts'
import type { Runtime } from './runtime.ts'

/**
 * Prints a run's report: words on a terminal, JSON in a pipe; also to `--report` and `--report-md`. Quiet on success with `-q`. A failure is
 * one error on stderr, `others` included: problems of runs that were finished on the way.
 */
export async function printReport(
  { report, exitCode, failure }: Result,
  others: readonly string[],
  ledger: Ledger,
  invocation: Invocation,
  runtime: Runtime,
): Promise<void> {
  runtime.metrics.streams.push(metricsOf(report))
  for (const warning of report.warnings) runtime.log.warn(warning)
  writeAside(invocation, 'report', () => `${JSON.stringify(report)}\n`, runtime)
  if (textOption(invocation, 'reportMd') !== undefined) {
    const text = await incidentText(ledger, report, runtime)
    writeAside(invocation, 'reportMd', () => text, runtime)
  }
  const output = outputFlag(invocation)
  if (output === undefined && runtime.quiet && exitCode === EXIT.done) return
  const format = output ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
  if (format === 'table') await runtime.output.write(reportText(report))
  else await runtime.output.write(`${JSON.stringify(report)}\n`)
  const problems = [...others, ...report.problems]
  if (exitCode !== EXIT.done && problems.length > 0) {
    const { problemsText } = await import('./report-error.ts')
    runtime.io.stderr.write(problemsText(problems, exitCode, invocation, failure))
  }
}

/** The run as an incident report in Markdown. */
export async function incidentText(ledger: Ledger, report: RunReport, runtime: Runtime): Promise<string> {
  const { collectIncident } = await import('./incident/collect.ts')
  const { incidentReport } = await import('./incident/report.ts')
  return incidentReport(await collectIncident(ledger, report, runtime.version))
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

const ASIDE = { report: '--report', reportMd: '--report-md' } as const

/** @throws UserError for a report file that could not be written when it is time: told before anything is sent */
export function checkReportFiles(invocation: Invocation): void {
  for (const [name, flag] of Object.entries(ASIDE)) {
    const path = textOption(invocation, name)
    if (path === undefined) continue
    try {
      accessSync(dirname(path), constants.W_OK)
      if (existsSync(path) && statSync(path).isDirectory()) throw new Error('it is a folder')
    } catch (cause) {
      throw new UserError(`${flag}: ${path} cannot be written`, {
        cause,
        hint: 'name a file in a folder that exists',
      })
    }
  }
}

/** The work is done and recorded by now: a report that cannot be written is no reason to call it failed. */
function writeAside(
  invocation: Invocation,
  name: keyof typeof ASIDE,
  text: () => string,
  runtime: Runtime,
): void {
  const path = textOption(invocation, name)
  if (path === undefined) return
  try {
    writeFileWhole(path, text())
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    runtime.log.warn(
      `${ASIDE[name]}: ${path} could not be written: ${why}; auditctl runs show prints the report`,
    )
  }
}

const number = (value: number): string => value.toLocaleString('en-US')

export function planText(plan: BackfillPlan): string {
  const lines = [
    `events      ${number(plan.events)} in ${counted(plan.batches, 'request')}, ${bytesText(plan.bytes)}`,
    `times       ${plan.oldest ?? '-'} to ${plan.newest ?? '-'}`,
  ]
  if (plan.late > 0)
    lines.push(`late        ${number(plan.late)} outside what the destination keeps under their own time`)
  if (plan.rejected > 0) lines.push(`refused     ${number(plan.rejected)} that can never be delivered`)
  lines.push(`takes about ${formatDuration(plan.estimatedSeconds * 1000)}`)
  lines.push(
    `read with   ${counted(plan.sourceRequests, 'request')} to the source, ${counted(plan.inventoryQueries, 'search', 'searches')}`,
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
    `delivered   ${number(report.delivered)} in ${counted(report.requests, 'request')} (${counted(report.retries, 'retry', 'retries')}), ${bytesText(report.bytesSent)}`,
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
