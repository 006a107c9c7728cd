import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { ensureStateDir } from '../../config/paths.ts'
import { durationOf } from '../../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { Compression } from '../../core/export-disk.ts'
import type { EventFilter } from '../../core/filter.ts'
import { MANIFEST_FILE } from '../../core/manifest.ts'
import type { AuditSource } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { FORMATS } from '../../formats/registry.ts'
import { runExport, watermarkName } from '../../operations/export/index.ts'
import type { ExportOptions, ExportParts, Watermark } from '../../operations/export/types.ts'
import type { Ledger, RunRecord } from '../../state/ledger.ts'
import { acquireLock } from '../../state/lock.ts'
import { settingsFor } from '../entry-actions.ts'
import { exportDisk } from '../export-disk.ts'
import { announceWindow, filterFlags, filterText, settleOf, windowFlags } from '../flags.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { concurrencyOf, openLedger, openSource } from '../job.ts'
import { progressReporter } from '../progress.ts'
import { columnsFor, fieldsFlag, reshape, shapeFlag } from '../reshape.ts'
import type { Runtime } from '../runtime.ts'

const DEFAULT_OVERLAP = '10m'

/** `auditctl export`: every event of a window, oldest first, to stdout, a file or a folder. */
export async function exportCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const format = formatOf(invocation)
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const name = textOption(invocation, 'incremental')
  const target = targetOf(invocation)
  const ledger = target === undefined && name === undefined ? undefined : await openLedger(runtime)
  const watermark = name === undefined ? undefined : ledger?.readWatermark<Watermark>(watermarkName(name))
  const overlapMs = durationOf(textOption(invocation, 'overlap') ?? DEFAULT_OVERLAP, '--overlap')
  const { window, typed } = exportWindow(invocation, runtime, watermark, overlapMs)
  const filter = filterFlags(invocation, source.shape, runtime)
  announceWindow(runtime, window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, window, filter, 'asc')
  }
  const options: ExportOptions = {
    window,
    filter,
    format,
    compression: (textOption(invocation, 'compress') as Compression | undefined) ?? 'none',
    target,
    overwrite: flagOption(invocation, 'overwrite'),
    incremental: name === undefined ? undefined : { name, overlapMs },
    query: queryOf(source, filter, invocation),
  }
  if (target !== undefined || name !== undefined) await lockTarget(invocation, runtime, target?.path, name)
  const disk = exportDisk()
  const run =
    target === undefined || ledger === undefined
      ? undefined
      : await findRun(ledger, source, options, { typed, invocation, disk })
  const progress = await progressReporter(
    invocation,
    runtime,
    run === undefined ? window : { from: run.question.from, to: run.question.to },
  )
  try {
    const parts = await exportParts(source, ledger, disk, options, invocation, runtime)
    const frozen =
      run === undefined ? options : { ...options, window: { from: run.question.from, to: run.question.to } }
    const result = await runExport({ ...parts, observe: progress.observe }, frozen, run)
    progress.stop()
    runtime.metrics.streams.push({ source: source.name, scanned: result.rows })
    for (const warning of result.warnings) runtime.log.warn(warning)
    const where = target === undefined ? 'stdout' : target.path
    runtime.log.info(
      `${result.rows.toLocaleString('en-US')} events written to ${where}${target?.kind === 'folder' ? ` in ${result.files} ${result.files === 1 ? 'file' : 'files'}` : ''}`,
    )
    if (result.brokenLines === 0) return EXIT.done
    runtime.log.warn(`${result.brokenLines} broken input lines were left out`)
    return EXIT.notDelivered
  } finally {
    progress.stop()
  }
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

function exportWindow(
  invocation: Invocation,
  runtime: Runtime,
  watermark: Watermark | undefined,
  overlapMs: number,
): { readonly window: TimeRange; readonly typed: string } {
  const defaultTo = runtime.clock.now() - settleOf(invocation).ms
  if (watermark === undefined) return windowFlags(invocation, runtime, { fallbackMs: undefined, defaultTo })
  if (textOption(invocation, 'from') !== undefined || textOption(invocation, 'in') !== undefined) {
    runtime.log.warn('--from is ignored: this export goes on where it stopped')
  }
  const { window } = windowFlags(
    { ...invocation, options: { ...invocation.options, from: undefined, since: undefined, in: undefined } },
    runtime,
    {
      fallbackMs: Math.max(1, defaultTo - watermark.doneThrough + overlapMs),
      defaultTo,
    },
  )
  return {
    window: {
      from: Math.min(window.to, watermark.doneThrough - overlapMs),
      to: Math.max(window.to, watermark.doneThrough),
    },
    typed: `after ${watermark.doneThrough}`,
  }
}

function queryOf(source: AuditSource, filter: EventFilter, invocation: Invocation): unknown {
  return {
    source: source.name,
    filter: JSON.parse(filterText(filter)) as unknown,
    shape: shapeFlag(invocation),
    fields: fieldsFlag(invocation) ?? null,
  }
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

/** The unfinished run of the same export, or a new one. @throws UserError for a target that is there already */
async function findRun(
  ledger: Ledger,
  source: AuditSource,
  options: ExportOptions,
  about: { readonly typed: string; readonly invocation: Invocation; readonly disk: ExportParts['disk'] },
): Promise<RunRecord> {
  const { target } = options
  const path = target?.path ?? ''
  const asked = [
    source.name,
    'export',
    about.typed,
    options.query,
    path,
    options.format,
    options.compression,
    options.incremental?.name ?? null,
  ]
  const key = createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32)
  const own = ledger.findByKey(key)
  if (own !== undefined && own.phase !== 'done') return own
  const marker = target?.kind === 'folder' ? resolve(path, MANIFEST_FILE) : path
  const isAddedTo = target?.kind === 'folder' && options.incremental !== undefined
  if (!options.overwrite && !isAddedTo && (await about.disk.exists(marker))) {
    throw new UserError(`${marker} already exists`, {
      code: 'target-exists',
      hint: 'name another target, or replace it with --overwrite',
    })
  }
  if (target?.kind === 'folder') await about.disk.makeFolder(path)
  if (target?.kind === 'folder' && options.overwrite) await about.disk.clearExport(path)
  return ledger.createRun(key, {
    mode: 'export',
    source: source.name,
    stream: null,
    ...options.window,
    typedWindow: about.typed,
    filter: filterText(options.filter),
  })
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
    write: (bytes) => runtime.output.write(bytes),
    flush: () => runtime.output.flush(),
  }
}
