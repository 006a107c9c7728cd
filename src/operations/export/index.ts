import { join } from 'node:path'
import { UserError } from '../../core/errors.ts'
import { MANIFEST_FILE, type Manifest } from '../../core/manifest.ts'
import type { RunReport } from '../../core/report.ts'
import type { RunRecord } from '../../state/run-record.ts'
import { reportOf } from '../backfill/report.ts'
import { Checkpoints } from './checkpoints.ts'
import { exportFile } from './file.ts'
import { exportFolder } from './folder.ts'
import { buildManifest } from './manifest.ts'
import { nextWatermark, RecentIds } from './recent-ids.ts'
import { chunksOf, type RowsEnd } from './rows.ts'
import type { ExportOptions, ExportParts, ExportProgress, ExportResult, Watermark } from './types.ts'

/**
 * Writes every event of the window, oldest first, each once. An export to a file or folder is a run of the ledger: killed and started again
 * by the same command it goes on where it was, and ends with the same bytes.
 * @throws UserError for a target that exists; IncompleteError when a slice of the source could not be shown complete
 */
export async function runExport(
  parts: ExportParts,
  options: ExportOptions,
  run: RunRecord | undefined,
): Promise<ExportResult> {
  if (options.target === undefined || run === undefined) return exportStdout(parts, options)
  const { ledger } = parts
  if (ledger === undefined) throw new TypeError('an export to a file is recorded in the ledger')
  const since = parts.clock.monotonic()
  const checkpoints = new Checkpoints(ledger, run, parts.clock)
  try {
    const done =
      options.target.kind === 'file'
        ? await toFile(parts, options, checkpoints)
        : await toFolder(parts, options, run, checkpoints)
    finish(parts, options, run, done, since, 'completed')
    checkpoints.forget()
    return done
  } catch (error) {
    const status = parts.signal.aborted ? 'interrupted' : 'failed'
    const problem = error instanceof Error ? error.message : String(error)
    const { rows } = checkpoints.last
    try {
      finish(parts, options, run, { rows, warnings: [], reasons: [problem] }, since, status)
    } catch (cause) {
      // The disk that failed the export may hold the ledger, too: the run is found unfinished all the same.
      parts.log.debug(`the ledger was not told: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
    throw error
  }
}

/** An earlier manifest of an incremental folder. @throws UserError when it is damaged */
export async function readManifest(
  parts: Pick<ExportParts, 'disk'>,
  folder: string,
): Promise<Manifest | undefined> {
  const text = await parts.disk.read(join(folder, MANIFEST_FILE))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Manifest
  } catch (cause) {
    throw new UserError(`${join(folder, MANIFEST_FILE)} is damaged`, {
      cause,
      hint: 'look with auditctl verify, or export to another folder',
    })
  }
}

async function toFile(
  parts: ExportParts,
  options: ExportOptions,
  checkpoints: Checkpoints,
): Promise<ExportResult> {
  const path = options.target?.path ?? ''
  const { watermark, recent } = memoryOf(parts, options, checkpoints.start)
  const done = await exportFile(parts, options, path, { checkpoints, watermark, recent })
  remember(parts, options, watermark, recent)
  return resultOf(done, 1)
}

async function toFolder(
  parts: ExportParts,
  options: ExportOptions,
  run: RunRecord,
  checkpoints: Checkpoints,
): Promise<ExportResult> {
  const folder = options.target?.path ?? ''
  const present = await readManifest(parts, folder)
  const { watermark, recent } = memoryOf(parts, options, checkpoints.start)
  if (present?.runId === run.id) {
    // Killed between the manifest and the ledger's last word.
    return {
      ...resultOf({ ...checkpoints.start, warnings: [], brokenLines: 0 }, checkpoints.start.files.length),
      run,
    }
  }
  const earlier = options.incremental === undefined ? undefined : present
  const taken = earlier?.files ?? []
  const done = await exportFolder(parts, options, folder, { checkpoints, watermark, taken, recent })
  const result = resultOf(done, done.files.length)
  const manifest = await buildManifest(parts, options, done, {
    runId: run.id,
    earlier,
    watermark,
    reasons: result.reasons,
  })
  // Before the manifest: killed between the two, the same command finds the run unfinished and nothing left to read.
  remember(parts, options, watermark, recent)
  await parts.disk.replace(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
  return { ...result, run }
}

async function exportStdout(parts: ExportParts, options: ExportOptions): Promise<ExportResult> {
  const { watermark, recent } = memoryOf(parts, options, undefined)
  const { writer, disk, write } = parts
  let [rows, bytes] = [0, 0]
  let doneThrough: number | undefined
  const put = async (raw: Uint8Array): Promise<void> => {
    const content = await disk.compress(options.compression, raw)
    bytes += content.length
    await write(content)
  }
  try {
    if (writer.header.length > 0) await put(writer.header)
    const chunks = chunksOf(parts, options, { after: undefined, watermark })
    for (;;) {
      const step = await chunks.next()
      if (step.done) {
        await parts.flush()
        remember(parts, options, watermark, recent)
        return resultOf({ rows, bytes, ...step.value }, 0)
      }
      parts.signal.throwIfAborted()
      const { events } = step.value
      await put(writer.encode(events))
      recent?.note(events)
      rows += events.length
      doneThrough = events.at(-1)?.occurredAtMs ?? doneThrough
      parts.observe?.({ phase: 'export', done: step.value.doneThrough, events: rows })
    }
  } catch (error) {
    if (parts.signal.aborted && doneThrough !== undefined && recent !== undefined) {
      await parts.flush()
      remember(parts, options, watermark, recent, doneThrough)
    }
    throw error
  }
}

export function watermarkName(name: string): string {
  return `export ${name}`
}

/** What an export that has a name knows of those before it. `progress`: of a run that is resumed; undefined: stdout, which is never. */
function memoryOf(
  parts: ExportParts,
  options: ExportOptions,
  progress: ExportProgress | undefined,
): { readonly watermark: Watermark | undefined; readonly recent: RecentIds | undefined } {
  const { incremental, window } = options
  if (incremental === undefined) return { watermark: undefined, recent: undefined }
  const watermark = parts.ledger?.readWatermark<Watermark>(watermarkName(incremental.name))
  const recent = new RecentIds([...(watermark?.recent ?? []), ...(progress?.recent ?? [])], {
    overlapMs: incremental.overlapMs,
    wholeTo: progress === undefined ? undefined : window.to,
  })
  return { watermark, recent }
}

function remember(
  parts: ExportParts,
  options: ExportOptions,
  watermark: Watermark | undefined,
  recent: RecentIds | undefined,
  doneThrough = options.window.to,
): void {
  const { incremental } = options
  if (incremental === undefined || recent === undefined) return
  // Of an earlier end that is looked back at, nothing is forgotten.
  const end = Math.max(doneThrough, watermark?.doneThrough ?? 0)
  parts.ledger?.writeWatermark(
    watermarkName(incremental.name),
    nextWatermark(options, watermark, recent, end),
  )
}

function resultOf(
  done: Pick<ExportProgress, 'rows'> & RowsEnd & { readonly bytes: number },
  files: number,
): ExportResult {
  const { rows, bytes, warnings, brokenLines } = done
  const reasons = brokenLines > 0 ? [`${brokenLines} broken input lines were left out`] : []
  return { run: undefined, rows, bytes, files, complete: brokenLines === 0, reasons, warnings, brokenLines }
}

function finish(
  parts: ExportParts,
  options: ExportOptions,
  run: RunRecord,
  done: Pick<ExportResult, 'rows' | 'warnings' | 'reasons'>,
  since: number,
  status: 'completed' | 'failed' | 'interrupted',
): void {
  const { ledger } = parts
  if (ledger === undefined) return
  ledger.commitScan(run.id, {
    ...run,
    scanned: done.rows,
    held: 0,
    spooled: 0,
    doneThrough: options.window.to,
  })
  const stored = ledger.readRun(run.id) ?? run
  const base = reportOf(ledger, stored, {
    status,
    verified: null,
    stillMissing: null,
    durationMs: parts.clock.monotonic() - since,
    problems: done.reasons,
    warnings: done.warnings,
  })
  const report: RunReport = {
    ...base,
    selected: 0,
    pending: 0,
    out: options.target?.path ?? '-',
    written: done.rows,
  }
  ledger.finish(run.id, report, status === 'completed' ? 'done' : 'scan')
}
