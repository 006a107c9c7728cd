import { DAY_MS, type EpochMs, HOUR_MS, isoTime, type TimeRange } from '../../core/time-range.ts'
import { type Compression, FILE_SUFFIX } from '../compress.ts'
import { folderPrefix, hourFolder } from './hour-keys.ts'

/** How an archive's keys are built. `hive`: `dt=…/hour=…/part-…`; `circleci`: as CircleCI's stream; `flat`: `<from>_<to>_<digest>`. */
export type Layout = 'hive' | 'circleci' | 'flat'
export const LAYOUTS = ['hive', 'circleci', 'flat'] as const

/** Where an archive's files lie below the configured prefix; a Hive archive keeps the sources apart. */
export function archiveFolder(layout: Layout, prefix: string | undefined, source: string): string {
  const folder = folderPrefix(prefix)
  return layout === 'hive' ? `${folder}source=${safe(source)}/` : folder
}

/** An object holds events of one of these only: an hour, or a day where keys have no hours. */
export function partitionOf(layout: Layout, atMs: EpochMs): EpochMs {
  const width = layout === 'flat' ? DAY_MS : HOUR_MS
  return Math.floor(atMs / width) * width
}

export type KeyParts = {
  readonly firstMs: EpochMs
  readonly lastMs: EpochMs
  readonly compression: Compression
  /** Of the content as stored, lower-case hex: SHA-1 in CircleCI's layout, else SHA-256. */
  readonly digest: string
}

/** The key below the archive's folder: the same content has the same key, whoever writes it and however often. */
export function objectName(layout: Layout, parts: KeyParts): string {
  const { firstMs, lastMs, compression, digest } = parts
  const extension = `.jsonl${FILE_SUFFIX[compression]}`
  if (layout === 'flat') return `${compact(firstMs)}_${compact(lastMs + 1)}_${digest}${extension}`
  const folder = hourFolder(firstMs, layout)
  if (layout === 'circleci') return `${folder}${isoTime(firstMs).slice(0, 19)}_${digest}`
  // Milliseconds into the hour, so that names sort as their events do.
  return `${folder}part-${String(firstMs % HOUR_MS).padStart(7, '0')}-${digest}${extension}`
}

/** The times that a flat name says its events lie between; undefined for any other name. */
export function readFlatName(name: string): TimeRange | undefined {
  const match = /^(\d{8}T\d{9}Z)_(\d{8}T\d{9}Z)_[0-9a-f]{40,64}\.jsonl(?:\.gz|\.zst)?$/.exec(name)
  const [from, to] = [instantOf(match?.[1]), instantOf(match?.[2])]
  return from === undefined || to === undefined ? undefined : { from, to }
}

/** `20261120T021000000Z`: keys hold no colons. */
function compact(at: EpochMs): string {
  return isoTime(at).replaceAll(/[-:.]/g, '')
}

function instantOf(text: string | undefined): EpochMs | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(
    text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, '$1-$2-$3T$4:$5:$6.$7Z'),
  )
  return Number.isNaN(at) ? undefined : at
}

function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9!_.*'()-]/g, '-')
}
