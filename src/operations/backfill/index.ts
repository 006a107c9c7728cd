import { rmSync } from 'node:fs'
import { AuditctlError, EXIT, LocalError, UnavailableError, UserError } from '../../core/errors.ts'
import type { RunRecord } from '../../state/run-record.ts'
import { Spool } from '../../state/spool.ts'
import { conclude, type Result } from './conclude.ts'
import { deliverProbe, deliverSpool, toSend } from './deliver.ts'
import { Engine } from './engine.ts'
import { checkGuards, group } from './guards.ts'
import { planDelivery } from './plan.ts'
import { scan } from './scan.ts'
import { resendUnknown, settleUnknown, unsettled } from './settle.ts'
import { SPOOL_FILE } from './spooled-events.ts'
import { boundOf, countBefore, countOf, type Stretch } from './stretches.ts'
import type { BackfillOptions, BackfillParts, Work } from './types.ts'
import { awaitHeld, verifyDelivered } from './verify.ts'

/** Rounds of "send again what settling found absent" in which nothing at all was delivered. */
const MAX_IDLE_ROUNDS = 5
/** Enough to be found, few enough to be no flood. */
const PROBE_EVENTS = 100

/**
 * Scans, judges, delivers, settles and verifies one run, from wherever the ledger says it stands. The pair must be locked.
 * Whatever happens on the way ends in the report; only what is refused before anything was sent is thrown, and its run is forgotten.
 * @throws UserError when something cannot be done as asked, or a guard refuses
 */
export async function runBackfill(
  parts: BackfillParts,
  options: BackfillOptions,
  started: RunRecord,
): Promise<Result> {
  checkAsked(parts, options)
  const since = parts.clock.monotonic()
  parts.ledger.begin(started.id)
  const spool = Spool.open(parts.ledger.folderOf(started.id), SPOOL_FILE, started.spoolBytes)
  const work: Work = { parts, options, run: started, spool, problems: [], warnings: [], exits: new Set() }
  try {
    if (started.phase === 'scan') {
      try {
        await prepareRun(work)
      } catch (error) {
        if (!(error instanceof UserError)) {
          const failure = parts.signal.aborted ? parts.signal.reason : error
          return conclude(work, { since, failure })
        }
        // Refused before anything was sent: the run must not be found again and finished by the next command.
        forget(work)
        throw error
      }
    }
    parts.ledger.recover(started.id)
    return await finishRun({ ...work, run: parts.ledger.readRun(started.id) ?? started }, since)
  } finally {
    spool.close()
  }
}

/** @throws UserError for what cannot work with these parts: told before anything is read or sent */
export function checkAsked(parts: Pick<BackfillParts, 'live'>, options: BackfillOptions): void {
  if (parts.live !== undefined) return
  const [flag] = [options.probe ? '--probe' : '', options.verify ? '--verify' : ''].filter(
    (name) => name !== '',
  )
  if (flag === undefined) return
  throw new UserError(`${flag} needs a stream that can be searched: what was sent could not be found again`, {
    code: 'no-inventory',
    hint: `give the stream search credentials, or leave ${flag} out`,
  })
}

/** Scan, guards, plan, confirmation. What is sent again was spooled when its run was made. @throws UserError when one of them refuses */
async function prepareRun(work: Work): Promise<void> {
  const { parts, options } = work
  const isResend = work.run.question.mode === 'resend'
  const run = isResend ? work.run : { ...work.run, ...(await scan(work)).progress }
  const scanned: Work = { ...work, run }
  const doubts = checkGuards(scanned)
  if (parts.confirm !== undefined && !options.yes && run.spooled > 0) {
    const isAgreed = await parts.confirm(planDelivery(scanned), [...doubts, ...work.warnings])
    if (!isAgreed) throw new UserError('not confirmed; nothing was sent', { code: 'not-confirmed' })
  }
  parts.signal.throwIfAborted()
  parts.ledger.setPhase(run.id, 'deliver', 'running')
}

function forget({ parts, run }: Work): void {
  parts.ledger.remove(run.id)
  rmSync(parts.ledger.folderOf(run.id), { recursive: true, force: true })
}

/** Delivers, settles and verifies; whatever happens on the way becomes part of the report. */
async function finishRun(work: Work, since: number): Promise<Result> {
  const engine = new Engine(work)
  let stillMissing: number | null = null
  let failure: unknown
  try {
    await deliverAndSettle(engine)
    if (work.options.verify) stillMissing = await verifyDelivered(engine)
  } catch (error) {
    failure = await settleBefore(engine, error)
  } finally {
    engine.close()
  }
  work.warnings.push(...engine.large.warnings())
  return conclude(work, { since, failure, stillMissing })
}

async function deliverAndSettle(engine: Engine): Promise<void> {
  const { work } = engine
  const { options, parts } = work
  if (unsettled(engine).length > 0)
    await (parts.live === undefined ? resendUnknown(engine) : settleUnknown(engine))
  const before = boundOf(toSend(work), options.limit)
  if (options.probe) await probe(engine, before)
  for (let idle = 0; ; ) {
    const delivered = engine.tally.delivered
    await deliverSpool(engine, before)
    if (parts.live !== undefined && unsettled(engine).length > 0) await settleUnknown(engine)
    const left = countBefore(toSend(work), before)
    if (left === 0) return
    idle = engine.tally.delivered > delivered ? 0 : idle + 1
    if (parts.live === undefined || idle >= MAX_IDLE_ROUNDS) {
      throw new UnavailableError(
        `the stream ${parts.destination.name} gave no answer that counts to requests with ${group(left)} events`,
        { hint: `auditctl runs resume ${work.run.id} goes on when the destination works again` },
      )
    }
    engine.answered()
  }
}

/** A run that ends early still settles what it can, so that fewer events stay unknown. Gives the error to report. */
async function settleBefore(engine: Engine, error: unknown): Promise<unknown> {
  const { parts } = engine.work
  if (parts.signal.aborted) return parts.signal.reason
  if (parts.live === undefined || !(error instanceof AuditctlError) || error instanceof LocalError)
    return error
  try {
    await settleUnknown(engine)
  } catch {
    // The first error is the reason; what could not be settled is counted as unresolved.
  }
  return parts.signal.aborted ? parts.signal.reason : error
}

/** One batch first; the rest only when the inventory has shown it. @throws ProbeError */
async function probe(engine: Engine, before: number): Promise<void> {
  const { parts, run } = engine.work
  const sent = await deliverProbe(engine, before, PROBE_EVENTS)
  if (sent === undefined) return
  const isOfProbe = ({ first }: Stretch): boolean => first >= sent.first && first < sent.first + sent.count
  const sentRanges = parts.ledger
    .ranges(run.id)
    .filter((range) => isOfProbe(range) && ['delivered', 'unknown', 'unverified'].includes(range.state))
  const missing = countOf(await awaitHeld(engine, sentRanges, parts.clock.now()))
  if (missing === 0) return
  throw new ProbeError(
    `the probe was accepted, but ${group(missing)} of its ${group(sent.count)} events cannot be found: wrong index, or a destination that drops them?`,
  )
}

class ProbeError extends AuditctlError {
  override readonly name = 'ProbeError'
  readonly exitCode = EXIT.answerIsNo
  constructor(message: string) {
    super(message, { hint: 'look into the SIEM before sending more' }, 'probe')
  }
}
