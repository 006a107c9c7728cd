import { join } from 'node:path'
import { UserError } from '../../core/errors.ts'
import { MANIFEST_FILE, type Manifest } from '../../core/manifest.ts'
import type { RunReport } from '../../core/report.ts'
import type { RunRecord } from '../../state/ledger.ts'
import { reportOf } from '../backfill/report.ts'
import { Checkpoints } from './checkpoints.ts'
import { exportFile } from './file.ts'
import { exportFolder } from './folder.ts'
import { buildManifest } from './manifest.ts'
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
  try {
    const checkpoints = new Checkpoints(ledger, run, parts.clock)
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
    finish(parts, options, run, { rows: 0, warnings: [], reasons: [problem] }, since, status)
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
  const done = await exportFile(parts, options, path, checkpoints)
  return resultOf(done, 1)
}

async function toFolder(
  parts: ExportParts,
  options: ExportOptions,
  run: RunRecord,
  checkpoints: Checkpoints,
): Promise<ExportResult> {
  const folder = options.target?.path ?? ''
  const { incremental } = options
  const earlier = incremental === undefined ? undefined : await readManifest(parts, folder)
  const watermark =
    incremental === undefined
      ? undefined
      : parts.ledger?.readWatermark<Watermark>(watermarkName(incremental.name))
  const recent = recentIds(watermark, options)
  const done = await exportFolder(watching(parts, recent), options, folder, {
    checkpoints,
    watermark,
    taken: earlier?.files ?? [],
  })
  const reasons = done.brokenLines > 0 ? [`${done.brokenLines} broken input lines were left out`] : []
  const manifest = await buildManifest(parts, options, done, { runId: run.id, earlier, reasons })
  await parts.disk.replace(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
  if (incremental !== undefined) writeWatermark(parts, options, folder, recent)
  return { ...resultOf(done, done.files.length), run, reasons, complete: reasons.length === 0 }
}

async function exportStdout(parts: ExportParts, options: ExportOptions): Promise<ExportResult> {
  const { incremental } = options
  const watermark =
    incremental === undefined
      ? undefined
      : parts.ledger?.readWatermark<Watermark>(watermarkName(incremental.name))
  const recent = recentIds(watermark, options)
  const { writer, disk, write } = watching(parts, recent)
  let [rows, bytes] = [0, 0]
  const put = async (raw: Uint8Array): Promise<void> => {
    const content = await disk.compress(options.compression, raw)
    bytes += content.length
    // The writer fills its buffer again at once; stdout may still hold what it was given.
    await write(options.compression === 'none' ? Uint8Array.prototype.slice.call(content) : content)
  }
  if (writer.header.length > 0) await put(writer.header)
  const chunks = chunksOf(parts, options, { after: undefined, watermark })
  for (;;) {
    const step = await chunks.next()
    if (step.done) {
      await parts.flush()
      if (incremental !== undefined) writeWatermark(parts, options, '-', recent)
      return {
        run: undefined,
        rows,
        bytes,
        files: 0,
        complete: step.value.brokenLines === 0,
        reasons: [],
        ...step.value,
      }
    }
    await put(writer.encode(step.value.events))
    rows += step.value.events.length
    parts.observe?.({ phase: 'export', done: step.value.doneThrough, events: rows })
  }
}

export function watermarkName(name: string): string {
  return `export ${name}`
}

/** Ids inside the overlap that the next export of this name will read again. */
type Recent = { readonly since: number; readonly ids: (readonly [string, number])[] }

function recentIds(watermark: Watermark | undefined, options: ExportOptions): Recent | undefined {
  if (options.incremental === undefined) return undefined
  const since = options.window.to - options.incremental.overlapMs
  return { since, ids: (watermark?.recent ?? []).filter(([, ms]) => ms >= since) }
}

/** The parts with a writer that remembers which ids it wrote inside the overlap. */
function watching(parts: ExportParts, recent: Recent | undefined): ExportParts {
  if (recent === undefined) return parts
  const { writer } = parts
  return {
    ...parts,
    writer: {
      header: writer.header,
      encode(events) {
        for (const { id, occurredAtMs } of events)
          if (occurredAtMs >= recent.since) recent.ids.push([id, occurredAtMs])
        return writer.encode(events)
      },
    },
  }
}

function writeWatermark(
  parts: ExportParts,
  options: ExportOptions,
  target: string,
  recent: Recent | undefined,
): void {
  const { incremental } = options
  if (incremental === undefined) return
  const watermark: Watermark = { doneThrough: options.window.to, target, recent: recent?.ids ?? [] }
  parts.ledger?.writeWatermark(watermarkName(incremental.name), watermark)
}

function resultOf(done: ExportProgress & RowsEnd, files: number): ExportResult {
  const { rows, bytes, warnings, brokenLines } = done
  return {
    run: undefined,
    rows,
    bytes,
    files,
    complete: brokenLines === 0,
    reasons: [],
    warnings,
    brokenLines,
  }
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
