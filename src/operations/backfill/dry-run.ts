import { rmSync } from 'node:fs'
import { EXIT, UserError } from '../../core/errors.ts'
import type { RunQuestion } from '../../core/report.ts'
import type { RunRecord } from '../../state/run-record.ts'
import { NO_COUNTERS, NOTHING_CARRIED } from '../../state/run-rows.ts'
import { Spool } from '../../state/spool.ts'
import type { Result } from './conclude.ts'
import { checkGuards } from './guards.ts'
import { checkAsked } from './index.ts'
import { planDelivery } from './plan.ts'
import { dryReport, firstExit } from './report.ts'
import { scan } from './scan.ts'
import { SPOOL_FILE } from './spooled-events.ts'
import type { BackfillOptions, BackfillParts, Work } from './types.ts'

/**
 * `--dry-run`: the same scan and plan; nothing is sent, and the ledger never hears of it, so that no later command can mistake it for a run to
 * be finished. Its spool is named after the pair, which is locked: what a killed one left behind is replaced.
 * @throws the source's and inventory's errors while scanning
 */
export async function planBackfill(
  parts: BackfillParts,
  options: BackfillOptions,
  question: RunQuestion,
  pairKey: string,
): Promise<Result> {
  checkAsked(parts, options)
  const since = parts.clock.monotonic()
  const started = notRecorded(question, `dry-${pairKey}`, parts.clock.now())
  const spool = Spool.open(parts.ledger.folderOf(started.id), SPOOL_FILE, 0)
  try {
    const work: Work = { parts, options, run: started, spool, problems: [], warnings: [], exits: new Set() }
    const { progress } = await scan(work)
    const scanned: Work = { ...work, run: { ...started, ...progress } }
    const plan = planDelivery(scanned)
    let failure: unknown
    try {
      checkGuards(scanned)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      failure = error
      work.problems.push(error.message)
      work.exits.add(EXIT.usage)
    }
    const ending = {
      durationMs: parts.clock.monotonic() - since,
      problems: work.problems,
      warnings: work.warnings,
    }
    return { report: dryReport(scanned.run, plan, ending), exitCode: firstExit(work.exits), failure }
  } finally {
    spool.close()
    rmSync(parts.ledger.folderOf(started.id), { recursive: true, force: true })
  }
}

function notRecorded(question: RunQuestion, id: string, now: number): RunRecord {
  return {
    id,
    key: '',
    question,
    status: 'planned',
    phase: 'scan',
    doneThrough: question.from,
    scanned: 0,
    held: 0,
    spooled: 0,
    spoolBytes: 0,
    carried: NOTHING_CARRIED,
    counters: NO_COUNTERS,
    report: undefined,
    createdAt: now,
    updatedAt: now,
  }
}
