import { IdDigest } from '../../core/id-digest.ts'
import type { Manifest, ManifestFile } from '../../core/manifest.ts'
import { HOUR_MS, isoTime, type TimeRange } from '../../core/time-range.ts'
import { joined } from '../../state/proven.ts'
import {
  type ExportOptions,
  type ExportParts,
  type ExportProgress,
  queryHashOf,
  type Watermark,
} from './types.ts'

/** The manifest of a folder, with what an earlier export of the same name had written. */
export async function buildManifest(
  parts: ExportParts,
  options: ExportOptions,
  progress: ExportProgress,
  about: {
    readonly runId: string
    readonly earlier: Manifest | undefined
    readonly watermark: Watermark | undefined
    readonly reasons: readonly string[]
  },
): Promise<Manifest> {
  const { source, clock } = parts
  const files = [...(about.earlier?.files ?? []), ...progress.files].sort((a, b) =>
    a.path < b.path ? -1 : 1,
  )
  const digest = new IdDigest()
  digest.addDigest(progress.idDigest)
  if (about.earlier !== undefined) digest.addDigest(about.earlier.idDigest)
  const from =
    about.earlier === undefined
      ? firstNew(options, about.watermark)
      : Math.min(options.window.from, Date.parse(about.earlier.window.from))
  const window = { from, to: options.window.to }
  // What was left out earlier is still missing from the folder.
  const reasons = [...new Set([...(about.earlier?.reasons ?? []), ...about.reasons])]
  const identity = await source.identify(parts.signal)
  const retentionMs = source.traits.retentionMs ?? identity.retentionMs
  const before = about.earlier?.source
  return {
    version: 1,
    runId: about.runId,
    tool: { name: 'auditctl', version: parts.version },
    source: {
      name: source.name,
      type: source.shape.type,
      // An export that had nothing to add may have seen nobody's name.
      url: identity.url ?? before?.url ?? null,
      organization: identity.organization ?? before?.organization ?? null,
      identity: identity.identity ?? before?.identity ?? null,
      scope: identity.scope ?? before?.scope ?? null,
      generation: identity.generation ?? before?.generation ?? null,
      retentionFloor:
        retentionMs === undefined ? (before?.retentionFloor ?? null) : isoTime(clock.now() - retentionMs),
    },
    window: { from: isoTime(window.from), to: isoTime(window.to) },
    query: options.query,
    queryHash: queryHashOf(options),
    format: options.format,
    compression: options.compression,
    createdAt: isoTime(clock.now()),
    files,
    totals: totalsOf(files),
    idDigest: digest.hex(),
    emptyIntervals: emptyIntervals(files, window),
    complete: reasons.length === 0,
    reasons,
  }
}

/** Where a folder begins to be whole: what an incremental export wrote elsewhere before, and looks back at, is not in it. */
function firstNew(
  { window, incremental }: Pick<ExportOptions, 'window' | 'incremental'>,
  watermark: Watermark | undefined,
): number {
  if (incremental === undefined || watermark === undefined) return window.from
  if (watermark.doneThrough < window.to) return Math.max(window.from, watermark.doneThrough)
  // Already the one that this export leaves.
  return watermark.begun < window.from
    ? Math.min(window.to, window.from + incremental.overlapMs)
    : window.from
}

export function totalsOf(files: readonly ManifestFile[]): Manifest['totals'] {
  const sum = (of: (file: ManifestFile) => number): number =>
    files.reduce((total, file) => total + of(file), 0)
  return {
    files: files.length,
    rows: sum((file) => file.rows),
    bytes: sum((file) => file.bytes),
    rawBytes: sum((file) => file.rawBytes),
  }
}

/** Hours of the window for which no file has a row, neighbours joined and cut to the window. */
export function emptyIntervals(
  files: readonly ManifestFile[],
  window: TimeRange,
): Manifest['emptyIntervals'] {
  const busy = new Set<number>()
  for (const { path } of files) {
    const match = /dt=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\//.exec(path)
    if (match !== null) busy.add(Date.parse(`${match[1]}T${match[2]}:00:00Z`))
  }
  const empty: TimeRange[] = []
  for (let hour = window.from - (window.from % HOUR_MS); hour < window.to; hour += HOUR_MS) {
    if (!busy.has(hour))
      empty.push({ from: Math.max(hour, window.from), to: Math.min(hour + HOUR_MS, window.to) })
  }
  return joined(empty).map(({ from, to }) => ({ from: isoTime(from), to: isoTime(to) }))
}
