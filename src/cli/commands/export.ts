import { resolve } from 'node:path'
import { ensureStateDir } from '../../config/paths.ts'
import { durationOf } from '../../core/duration.ts'
import { AuditctlError, EXIT, type ExitCode, InterruptedError, UserError } from '../../core/errors.ts'
import type { Compression } from '../../core/export-disk.ts'
import { compileFilter, type EventFilter } from '../../core/filter.ts'
import type { AuditSource } from '../../core/source.ts'
import { isoTime, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { FORMATS } from '../../formats/registry.ts'
import { runExport, watermarkName } from '../../operations/export/index.ts'
import {
  type ExportOptions,
  type ExportParts,
  type ExportResult,
  queryHashOf,
  type Watermark,
} from '../../operations/export/types.ts'
import type { Ledger } from '../../state/ledger.ts'
import { acquireLock } from '../../state/lock.ts'
import { settingsFor } from '../entry-actions.ts'
import { exportDisk } from '../export-disk.ts'
import { exportOptionsOf, findRun } from '../export-run.ts'
import { announceWindow, filterFlags, filterText, settleOf, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { grouped } from '../grouped.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { concurrencyOf, openLedger, openSource } from '../job.ts'
import { progressReporter } from '../progress.ts'
import { columnsFor, fieldsFlag, reshape, shapeFlag } from '../reshape.ts'
import type { Runtime } from '../runtime.ts'

/** An event may reach the log later than it happened, and a commit may take its time. */
const DEFAULT_OVERLAP_MS = 10 * MINUTE_MS

/** `auditctl export`: every event of a window, oldest first, to stdout, a file or a folder. */
export async function exportCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const format = formatOf(invocation)
  const target = targetOf(invocation)
  const compression = (textOption(invocation, 'compress') as Compression | undefined) ?? 'none'
  if (target === undefined && compression !== 'none' && runtime.io.stdoutIsTerminal)
    throw new UserError('compressed data is not for a terminal', {
      hint: 'add --out FILE, or redirect stdout',
    })
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const filter = filterFlags(invocation, source.shape, runtime)
  // A filter that means nothing here is an error before anything is locked or written.
  compileFilter(filter, source.shape.filters, source.name)
  const asked = { format, compression, target, filter, query: queryOf(source, filter, format, invocation) }
  if (flagOption(invocation, 'explain')) {
    const { window } = await exportWindow(invocation, runtime, undefined)
    announceWindow(runtime, window)
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, { window, filter, order: 'asc' }, invocation)
  }
  const name = textOption(invocation, 'incremental')
  // What an earlier export left is looked at under the lock: one that is waited for changes it.
  if (target !== undefined || name !== undefined) await lockTarget(invocation, runtime, target?.path, name)
  const ledger = target === undefined && name === undefined ? undefined : await openLedger(runtime)
  const incremental = name === undefined ? undefined : { name, overlapMs: overlapOf(invocation, source) }
  const watermark = name === undefined ? undefined : ledger?.readWatermark<Watermark>(watermarkName(name))
  const { window, typed } = await exportWindow(
    invocation,
    runtime,
    incremental && watermark && { ...incremental, watermark },
  )
  const options: ExportOptions = {
    ...asked,
    window,
    overwrite: flagOption(invocation, 'overwrite'),
    incremental,
  }
  checkSameQuery(options, watermark)
  const disk = exportDisk()
  const run =
    target === undefined || ledger === undefined
      ? undefined
      : await findRun(
          {
            ...{ ledger, source, disk, typed, watermark, log: runtime.log },
            command: exportOptionsOf({ ...invocation.options, format }),
          },
          options,
        )
  const frozen = run === undefined ? window : { from: run.question.from, to: run.question.to }
  announceWindow(runtime, frozen)
  const progress = await progressReporter(invocation, runtime, frozen)
  try {
    const parts = await exportParts(source, ledger, disk, options, invocation, runtime)
    const result = await runExport(
      { ...parts, observe: progress.observe },
      { ...options, window: frozen },
      run,
    )
    progress.stop()
    runtime.metrics.streams.push({ source: source.name, scanned: result.rows })
    return await sayResult(result, target, invocation, runtime)
  } catch (error) {
    progress.stop()
    if (run === undefined) throw error
    if (error instanceof InterruptedError) throw interruptedIn(error, run.id)
    // A question that was wrong is asked anew.
    if (error instanceof AuditctlError && error.exitCode !== EXIT.usage)
      runtime.log.info(`auditctl runs resume ${run.id} goes on`)
    throw error
  } finally {
    progress.stop()
  }
}

function interruptedIn(error: InterruptedError, run: string): InterruptedError {
  const code = error.exitCode as ConstructorParameters<typeof InterruptedError>[1]
  return new InterruptedError(`${error.message}: auditctl runs resume ${run} goes on`, code, { cause: error })
}

/** One summary line; what was left out is the one error. */
async function sayResult(
  result: ExportResult,
  target: ExportOptions['target'],
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  for (const warning of result.warnings) runtime.log.warn(warning)
  const files = `${result.files} ${result.files === 1 ? 'file' : 'files'}`
  const where =
    target === undefined ? 'stdout' : `${target.path}${target.kind === 'folder' ? ` in ${files}` : ''}`
  runtime.log.info(`${grouped(result.rows)} events written to ${where}`)
  if (result.brokenLines === 0) return EXIT.done
  const { problemsText } = await import('../report-error.ts')
  runtime.io.stderr.write(problemsText(result.reasons, EXIT.notDelivered, invocation))
  return EXIT.notDelivered
}

function formatOf(invocation: Invocation): 'jsonl' | 'csv' {
  const asked = textOption(invocation, 'format') ?? textOption(invocation, 'output')
  if (asked === 'jsonl' || asked === 'csv') return asked
  throw new UserError('export needs --format', { hint: 'add --format jsonl or --format csv' })
}

function targetOf(invocation: Invocation): ExportOptions['target'] {
  const out = textOption(invocation, 'out')
  if (out === undefined || out === '-') return undefined
  return { kind: out.endsWith('/') ? 'folder' : 'file', path: resolve(out) }
}

/** A source that tells how late its events may be is looked back at for that long. */
function overlapOf(invocation: Invocation, source: AuditSource): number {
  const text = textOption(invocation, 'overlap')
  if (text !== undefined) return durationOf(text, '--overlap')
  const { allowedLatenessMs } = source.traits
  return allowedLatenessMs > MINUTE_MS ? allowedLatenessMs : DEFAULT_OVERLAP_MS
}

async function exportWindow(
  invocation: Invocation,
  runtime: Runtime,
  earlier: { readonly name: string; readonly overlapMs: number; readonly watermark: Watermark } | undefined,
): Promise<{ readonly window: TimeRange; readonly typed: string }> {
  const defaultTo = runtime.clock.now() - settleOf(invocation).ms
  if (earlier === undefined) {
    const asked = windowFlags(invocation, runtime, { fallbackMs: undefined, defaultTo, cuts: true })
    return { window: asked.window, typed: asked.typed }
  }
  const { watermark, overlapMs } = earlier
  const ignored = ['from', 'since', 'in'].find((name) => invocation.options[name] !== undefined)
  if (ignored !== undefined)
    runtime.log.warn(
      `--${ignored} is ignored: ${earlier.name} goes on after ${isoTime(watermark.doneThrough)}`,
    )
  const options = { ...invocation.options, from: undefined, since: undefined, in: undefined }
  // No wider than what is remembered, and nothing that was never asked for.
  const from = Math.max(watermark.doneThrough - overlapMs, watermark.since, watermark.begun)
  const { window } = windowFlags({ ...invocation, options }, runtime, {
    fallbackMs: 1,
    defaultTo,
    cuts: true,
  })
  const to = Math.max(window.to, watermark.doneThrough)
  return { window: { from: Math.min(from, to), to }, typed: 'incremental' }
}

function queryOf(
  source: AuditSource,
  filter: EventFilter,
  format: 'jsonl' | 'csv',
  invocation: Invocation,
): unknown {
  return {
    source: source.name,
    filter: JSON.parse(filterText(filter)) as unknown,
    shape: shapeFlag(invocation),
    fields: fieldsFlag(invocation) ?? null,
    ...(format === 'csv' ? { guard: invocation.options['csvGuard'] !== false } : {}),
  }
}

/** @throws UserError when the name stands for another question: what it left out would never be asked for again */
function checkSameQuery(options: ExportOptions, watermark: Watermark | undefined): void {
  if (watermark === undefined) return
  const { incremental, target, overwrite } = options
  const name = incremental?.name ?? ''
  if (watermark.queryHash !== queryHashOf(options))
    throw new UserError(
      `the incremental export ${name} was begun with another source, filter, shape or columns`,
      {
        code: 'other-query',
        hint: 'take another name for --incremental',
      },
    )
  if (target?.kind === 'folder' && overwrite)
    throw new UserError(`--overwrite would empty the folder that ${name} adds to`, {
      code: 'overwrite-incremental',
      hint: 'leave --overwrite out, or take another name for --incremental to begin anew',
    })
}

async function lockTarget(
  invocation: Invocation,
  runtime: Runtime,
  path: string | undefined,
  name: string | undefined,
): Promise<void> {
  const held = [
    ...(path === undefined ? [] : [`the export target ${path}`]),
    ...(name === undefined ? [] : [`the incremental export ${name}`]),
  ]
  for (const what of held) {
    const lock = await acquireLock(ensureStateDir(runtime.io.env), what, {
      owner: 'export',
      wait: flagOption(invocation, 'wait'),
      clock: runtime.clock,
      log: runtime.log,
      signal: runtime.signal,
    })
    runtime.onExit(() => lock.release())
  }
}

async function exportParts(
  source: AuditSource,
  ledger: Ledger | undefined,
  disk: ExportParts['disk'],
  options: ExportOptions,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExportParts> {
  const shape = shapeFlag(invocation)
  const fields = fieldsFlag(invocation)
  const columns = options.format === 'csv' ? columnsFor(source, shape, fields) : fields
  const inner = await FORMATS[options.format]({ columns, guard: invocation.options['csvGuard'] !== false })
  const toShape = reshape(source, shape)
  const writer =
    shape === 'native'
      ? inner
      : {
          header: inner.header,
          encode: (events: Parameters<typeof inner.encode>[0]) => inner.encode(events.map(toShape)),
        }
  return {
    source,
    ledger,
    disk,
    writer,
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    version: runtime.version,
    write: (bytes) => runtime.output.put(bytes),
    flush: () => runtime.output.flush(),
  }
}
