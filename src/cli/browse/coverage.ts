import { ensureStateDir } from '../../config/paths.ts'
import type {
  BackfillOutcome,
  BackfillRequest,
  BrowserOperations,
  BrowserQuery,
  Coverage,
} from '../../core/browser.ts'
import { UserError } from '../../core/errors.ts'
import type { AuditSource } from '../../core/source.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import { findGaps } from '../../operations/find-gaps.ts'
import type { Ledger } from '../../state/ledger.ts'
import { acquireLock } from '../../state/lock.ts'
import { windowOf } from '../../state/run-record.ts'
import {
  archiveOf,
  backfillParts,
  finishOverlapping,
  type Job,
  newRun,
  openJob,
  optionsOf,
  ownRun,
} from '../backfill-run.ts'
import { filterText } from '../flags.ts'
import { requireInventory } from '../inventory-advice.ts'
import type { Invocation } from '../invocation.ts'
import { concurrencyOf, judgeableUntil, type OpenStream, openLedger, openStream } from '../job.ts'
import { withinProducts } from '../product-guard.ts'
import type { Runtime } from '../runtime.ts'
import type { Settings } from '../settings.ts'

type Parts = {
  readonly settings: Settings
  readonly source: AuditSource
  readonly invocation: Invocation
  readonly runtime: Runtime
}
type CompareOptions = Parameters<BrowserOperations['compare']>[2]
type BackfillWith = Parameters<BrowserOperations['backfill']>[1]

/** What the browser does with streams; each, and the ledger, is opened when it is first asked for. */
export function coverageOperations(
  parts: Parts,
): Pick<BrowserOperations, 'streams' | 'compare' | 'backfill' | 'commands'> {
  const { settings, source, invocation, runtime } = parts
  const streams = new Map<string, Promise<OpenStream>>()
  let ledger: Promise<Ledger> | undefined
  const streamOf = (name: string): Promise<OpenStream> => {
    const opened = streams.get(name) ?? openStream(settings, name, source, invocation, runtime)
    // One that could not be opened is tried again: a secret may be there by then.
    opened.catch(() => streams.delete(name))
    streams.set(name, opened)
    return opened
  }
  const ledgerOf = (): Promise<Ledger> => {
    ledger ??= openLedger(runtime)
    return ledger
  }
  return {
    streams: settings.streamNames.map((name) => ({
      name,
      provider: String(settings.streamEntry(name)['provider'] ?? ''),
    })),
    compare: async (name, query, options) =>
      compare(parts, await streamOf(name), await ledgerOf(), query, options),
    backfill: async (request, options) =>
      backfill(parts, await streamOf(request.stream), await ledgerOf(), request, options),
    commands: (run) => [
      `auditctl runs show ${run}`,
      `auditctl verify ${run}`,
      `auditctl runs show ${run} --md > incident.md`,
    ],
  }
}

async function compare(
  { source, invocation, runtime }: Parts,
  stream: OpenStream,
  ledger: Ledger,
  query: BrowserQuery,
  { cells, signal, observe }: CompareOptions,
): Promise<Coverage> {
  const inventory = requireInventory(stream, 'gaps')
  const until = judgeableUntil(invocation, runtime, source, stream)
  const { window, filter } = query
  const [recorded, held] = [new Float64Array(cells), new Float64Array(cells)]
  const perMs = cells / Math.max(1, window.to - window.from)
  const report = await findGaps(
    {
      source,
      inventory,
      stream: stream.destination.name,
      ledger,
      clock: runtime.clock,
      log: runtime.log,
      signal: AbortSignal.any([runtime.signal, signal]),
      concurrency: concurrencyOf(invocation),
      observe,
      onEvent(event, isMissing) {
        const cell = Math.min(cells - 1, Math.max(0, Math.floor((event.occurredAtMs - window.from) * perMs)))
        recorded[cell] = (recorded[cell] ?? 0) + 1
        if (!isMissing) held[cell] = (held[cell] ?? 0) + 1
      },
    },
    { window, judgedTo: until, filter, method: 'ids' },
  )
  return { stream: stream.destination.name, query, recorded, held, report }
}

/** The same as `auditctl backfill --missing --verify` over the window: the same guards, ledger and lock. */
async function backfill(
  parts: Parts,
  stream: OpenStream,
  ledger: Ledger,
  request: BackfillRequest,
  { signal, observe, confirm }: BackfillWith,
): Promise<BackfillOutcome> {
  const { source, settings } = parts
  const { runBackfill, checkAsked } = await import('../../operations/backfill/index.ts')
  requireInventory(stream, 'backfill')
  const job = await openJob({ settings, source, stream, ledger, ...quietly(parts, signal) })
  const until = judgeableUntil(job.invocation, job.runtime, source, stream)
  const filter = withinProducts(stream, request.query.filter)
  const window: TimeRange = { from: request.query.window.from, to: Math.min(request.query.window.to, until) }
  if (window.to <= window.from)
    throw new UserError('all of this is too young to judge', { hint: 'compare again later' })
  const asked = optionsOf(job, {
    mode: 'missing',
    windows: [window],
    typedWindow: `${isoTime(window.from)}/${isoTime(window.to)}`,
    filter,
    filterText: filterText(filter),
  })
  const options = { ...asked, verify: true, ...(request.isKnownHole ? { maxMissing: { percent: 100 } } : {}) }
  checkAsked(job, options)
  const lock = await lockFor(job)
  try {
    const own = ownRun(job, options)
    await finishOverlapping(job, own === undefined ? window : windowOf(own.run), own?.run)
    const run = own?.run ?? newRun(job, options, window)
    const archive = await archiveOf(job, own?.options ?? options)
    return await runBackfill(
      { ...backfillParts(job), archive, observe, confirm: (plan, doubts) => confirm({ plan, doubts }) },
      own?.options ?? options,
      run,
    )
  } finally {
    lock.release()
  }
}

/** Nothing asks at the terminal or draws on it: the browser does both. */
function quietly({ invocation, runtime }: Parts, signal: AbortSignal): Pick<Job, 'invocation' | 'runtime'> {
  return {
    invocation: { ...invocation, options: { ...invocation.options, progress: false } },
    runtime: {
      ...runtime,
      quiet: true,
      io: { ...runtime.io, stdinIsTerminal: false, stderrIsTerminal: false },
      signal: AbortSignal.any([runtime.signal, signal]),
    },
  }
}

function lockFor({ source, stream, runtime }: Job) {
  const pair = `the pair ${source.name} and ${stream.destination.name}`
  const { clock, log, signal } = runtime
  return acquireLock(ensureStateDir(runtime.io.env), pair, {
    owner: 'browse',
    wait: false,
    clock,
    log,
    signal,
  })
}
