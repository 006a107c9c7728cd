import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MANIFEST_FILE } from '../../core/manifest.ts'
import type { RunQuestion, RunReport } from '../../core/report.ts'
import { SPOOL_FILE } from '../../operations/backfill/spooled-events.ts'
import type { Ledger } from '../../state/ledger.ts'
import { outOf } from './commands.ts'
import { type GapFate, gapFates, type Refusal, refusalsOf } from './gap-fates.ts'

/** A file that the report speaks of; `sha256` is undefined where it is gone. */
export type Evidence = { readonly what: string; readonly path: string; readonly sha256: string | undefined }

/** Everything an incident report tells; made from the ledger and the run's folder, so that it can be made again later. */
export type Incident = {
  readonly report: RunReport
  /** Undefined for a dry run, which is not recorded. */
  readonly question: RunQuestion | undefined
  /** Of the scan, in the order of time: the first thousand at most. */
  readonly gaps: readonly GapFate[]
  readonly refusals: readonly Refusal[]
  /** When the first and the last request left. */
  readonly sent: { readonly from: number; readonly to: number } | undefined
  readonly evidence: readonly Evidence[]
  readonly version: string
}

export async function collectIncident(ledger: Ledger, report: RunReport, version: string): Promise<Incident> {
  const run = report.run === null ? undefined : ledger.readRun(report.run)
  if (run === undefined)
    return { report, question: undefined, gaps: [], refusals: [], sent: undefined, evidence: [], version }
  const ranges = ledger.ranges(run.id)
  const times = ranges.flatMap(({ sentAt }) => (sentAt === undefined ? [] : [sentAt]))
  const sent =
    times.length === 0
      ? undefined
      : times.reduce((span, at) => ({ from: Math.min(span.from, at), to: Math.max(span.to, at) }), {
          from: Number.POSITIVE_INFINITY,
          to: Number.NEGATIVE_INFINITY,
        })
  return {
    report,
    question: run.question,
    gaps: gapFates(ledger.gaps(run.id), ranges),
    refusals: refusalsOf(ranges),
    sent,
    evidence: await evidenceOf(report, run.question, join(ledger.folderOf(run.id), SPOOL_FILE)),
    version,
  }
}

async function evidenceOf(
  report: RunReport,
  question: RunQuestion,
  spool: string,
): Promise<readonly Evidence[]> {
  const files: [string, string][] = []
  if (report.mode === 'export') {
    const out = outOf(report, question) ?? ''
    if (out.endsWith('/')) files.push(['manifest', join(out, MANIFEST_FILE)])
    else if (out !== '' && out !== '-') files.push(['file', out])
  } else files.push(['events that were selected, in the source’s own bytes', spool])
  if (report.deadLetter !== null) files.push(['dead letters', report.deadLetter])
  const evidence: Evidence[] = []
  for (const [what, path] of files) evidence.push({ what, path, sha256: await sha256Of(path) })
  return evidence
}

async function sha256Of(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
    return hash.digest('hex')
  } catch {
    return undefined
  }
}
