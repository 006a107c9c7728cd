import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { UserError } from '../core/errors.ts'
import { MANIFEST_FILE } from '../core/manifest.ts'
import type { Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { isoTime } from '../core/time-range.ts'
import type { ExportOptions, ExportParts, Watermark } from '../operations/export/types.ts'
import type { Ledger } from '../state/ledger.ts'
import type { RunRecord } from '../state/run-record.ts'
import { filterText } from './flags.ts'

/**
 * The unfinished run of the same export, over its own stored window, or a new one.
 * @throws UserError for a target that is there already
 */
export async function findRun(
  about: {
    readonly ledger: Ledger
    readonly source: AuditSource
    readonly disk: ExportParts['disk']
    /** The window as typed: `--from 24h` means the same export an hour later. */
    readonly typed: string
    readonly watermark: Watermark | undefined
    readonly log: Log
    /** Options as typed, for `runs resume`. */
    readonly command: Readonly<Record<string, unknown>>
  },
  options: ExportOptions,
): Promise<RunRecord> {
  const { ledger, source, disk } = about
  const { target, incremental } = options
  const path = target?.path ?? ''
  const asked = [
    ...[source.name, 'export', incremental === undefined ? about.typed : `incremental ${incremental.name}`],
    ...[options.query, path, options.format, options.compression],
  ]
  const key = createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32)
  const own = ledger.findByKey(key)
  if (own !== undefined && own.phase !== 'done') {
    about.log.info(`going on with run ${own.id}, begun ${isoTime(own.createdAt)}`)
    return own
  }
  if (target?.kind === 'folder') await prepareFolder(path, disk, options, about.watermark)
  else await checkFile(path, disk, options)
  return ledger.createRun(key, {
    mode: 'export',
    source: source.name,
    stream: null,
    ...options.window,
    typedWindow: about.typed,
    filter: filterText(options.filter),
    command: { ...about.command, source: source.name, out: target?.kind === 'folder' ? `${path}/` : path },
  })
}

async function checkFile(path: string, disk: ExportParts['disk'], options: ExportOptions): Promise<void> {
  if (await disk.isFolder(path))
    throw new UserError(`${path} is a folder`, {
      hint: `write ${path}/ to export into it`,
      code: 'target-exists',
    })
  if (!options.overwrite && (await disk.exists(path))) throw taken(path)
}

async function prepareFolder(
  path: string,
  disk: ExportParts['disk'],
  { overwrite, incremental }: ExportOptions,
  watermark: Watermark | undefined,
): Promise<void> {
  // Without what the ledger remembers of it, everything in an incremental folder would be written a second time.
  const isAddedTo = incremental !== undefined && watermark !== undefined
  if (!isAddedTo && !overwrite) {
    if (await disk.exists(join(path, MANIFEST_FILE))) throw taken(join(path, MANIFEST_FILE))
    if (!(await disk.isEmpty(path)))
      throw new UserError(`${path} holds other files`, {
        code: 'target-exists',
        hint: 'name a folder that is empty or not there yet, or replace what an export left in it with --overwrite',
      })
  }
  await disk.makeFolder(path)
  if (overwrite) await disk.clearExport(path)
}

function taken(path: string): UserError {
  return new UserError(`${path} already exists`, {
    code: 'target-exists',
    hint: 'name another target, or replace it with --overwrite',
  })
}

/** How a command talks and how hard it tries is for whoever types it; the rest is what an export is. */
const MANNERS = new Set([
  ...['config', 'verbose', 'quiet', 'logFormat', 'output', 'json', 'progress', 'color', 'metricsFile'],
  ...['wait', 'yes', 'deadline', 'timeout', 'retries', 'concurrency'],
])

/** The options that say what is exported. */
export function exportOptionsOf(
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !MANNERS.has(name)))
}
