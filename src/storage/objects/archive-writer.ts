import { createHash } from 'node:crypto'
import type { RunNote } from '../../core/destination.ts'
import { IdDigest } from '../../core/id-digest.ts'
import { type EpochMs, HOUR_MS, isoRange, isoTime, type TimeRange } from '../../core/time-range.ts'
import { type Compression, compressMember } from '../compress.ts'
import { floorHour } from './hour-keys.ts'
import { archiveFolder, type Layout, objectName, partitionOf } from './layouts.ts'
import type { ObjectStore } from './store.ts'
import { digestOf, newObject, type Written, writeOnce } from './write-once.ts'

/** One event's line, without its line end. */
export type ArchiveLine = { readonly bytes: Uint8Array; readonly id: string; readonly atMs: EpochMs }

/** An object that was written, as a manifest lists it. */
export type ArchiveFile = {
  /** Below the archive's folder. */
  readonly path: string
  readonly bytes: number
  readonly rawBytes: number
  readonly sha256: string
  /** Where the store uses it. */
  readonly md5: string | undefined
  readonly rows: number
  readonly firstTime: string
  readonly lastTime: string
  readonly firstId: string
  readonly lastId: string
}

export type ArchiveSettings = {
  readonly prefix: string | undefined
  readonly layout: Layout
  readonly compression: Compression
  /** What the events come from: a Hive archive keeps the sources apart. */
  readonly source: { readonly name: string; readonly type: string }
  /** What is asked of the run; undefined where events come without one. */
  readonly asked?: Pick<RunNote, 'window' | 'query' | 'version' | 'journal'> | undefined
}

/** Lines of one partition, in the order they came. `positions`: where they stood in what was given. */
export type Partition = { readonly lines: readonly ArchiveLine[]; readonly positions: readonly number[] }

/** What a resumed run must still know of an object. */
type JournalEntry = {
  readonly file: ArchiveFile
  readonly idDigest: string
  readonly hours: readonly EpochMs[]
}

/** Writes events into an archive, an object for each partition, and the run's manifest last. */
export class ArchiveWriter {
  readonly folder: string
  readonly #store: ObjectStore
  readonly #settings: ArchiveSettings
  readonly #files = new Map<string, ArchiveFile>()
  readonly #digest = new IdDigest()
  /** Hours that hold one of the events. */
  readonly #hours = new Set<EpochMs>()
  readonly #reasons = new Set<string>()
  /** Objects that an earlier process of the run set out to write. */
  readonly #begun = new Map<string, JournalEntry>()

  constructor(store: ObjectStore, settings: ArchiveSettings) {
    this.#store = store
    this.#settings = settings
    this.folder = archiveFolder(settings.layout, settings.prefix, settings.source.name)
    for (const line of settings.asked?.journal?.lines() ?? []) {
      const entry = journalEntry(line)
      if (entry !== undefined) this.#begun.set(entry.file.path, entry)
    }
  }

  get files(): number {
    return this.#files.size
  }

  partitions(lines: readonly ArchiveLine[]): readonly Partition[] {
    const found = new Map<EpochMs, { lines: ArchiveLine[]; positions: number[] }>()
    for (const [position, line] of lines.entries()) {
      const at = partitionOf(this.#settings.layout, line.atMs)
      const known = found.get(at)
      if (known === undefined) found.set(at, { lines: [line], positions: [position] })
      else {
        known.lines.push(line)
        known.positions.push(position)
      }
    }
    return [...found.values()]
  }

  /**
   * One object of the lines of one partition, in the order of time and id. The same lines give the same key, so a repeat finds its own object.
   * @throws what the store threw; IncompleteError when something else lies under the key
   */
  async write(lines: readonly ArchiveLine[], signal: AbortSignal): Promise<Written> {
    const sorted = lines.toSorted((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    const [first, last] = [sorted[0], sorted.at(-1)]
    if (first === undefined || last === undefined)
      throw new RangeError('an object of an archive holds at least one event')
    const raw = joined(sorted)
    const { compression, layout } = this.#settings
    const content = await compressMember(compression, raw)
    const sha256 = digestOf('sha256', content)
    const path = objectName(layout, {
      firstMs: first.atMs,
      lastMs: last.atMs,
      compression,
      digest: layout === 'circleci' ? digestOf('sha1', content) : sha256,
    })
    const type = compression === 'none' ? 'application/x-ndjson' : TYPES[compression]
    const object = newObject(`${this.folder}${path}`, content, type, sha256)
    const digest = new IdDigest()
    for (const { id } of sorted) digest.add(id)
    const file: ArchiveFile = {
      path,
      bytes: content.length,
      rawBytes: raw.length,
      sha256,
      md5: undefined,
      rows: sorted.length,
      firstTime: isoTime(first.atMs),
      lastTime: isoTime(last.atMs),
      firstId: first.id,
      lastId: last.id,
    }
    const hours = [...new Set(sorted.map(({ atMs }) => floorHour(atMs)))]
    const entry: JournalEntry = { file, idDigest: digest.hex(), hours }
    // Before it is written: a run that is killed and resumed lists it all the same, if it is there.
    if (!this.#begun.has(path)) this.#settings.asked?.journal?.add(JSON.stringify(entry))
    this.#begun.set(path, entry)
    const written = await writeOnce(this.#store, object, signal)
    this.#note({ ...entry, file: { ...file, md5: object.knownMd5 } })
    return written
  }

  /** What an earlier process wrote without living to say so. */
  async #findBegun(signal: AbortSignal): Promise<void> {
    for (const [path, entry] of this.#begun) {
      if (this.#files.has(path)) continue
      const head = await this.#store.head(`${this.folder}${path}`, signal)
      if (head?.bytes === entry.file.bytes) this.#note(entry)
    }
  }

  #note({ file, idDigest, hours }: JournalEntry): void {
    if (this.#files.has(file.path)) return
    this.#files.set(file.path, file)
    this.#digest.addDigest(idDigest)
    for (const hour of hours) this.#hours.add(hour)
  }

  /** Why the manifest must not call itself complete. */
  incomplete(reason: string): void {
    this.#reasons.add(reason)
  }

  /**
   * The manifest of what this writer has written, after everything it lists: `_<run>.manifest.json` in the archive's folder, and a numbered one
   * that names the digest of the one before it when the run was resumed. Undefined when nothing was written.
   */
  async writeManifest(run: string, now: EpochMs, signal: AbortSignal): Promise<string | undefined> {
    await this.#findBegun(signal)
    if (this.#files.size === 0) return undefined
    const stem = `${this.folder}_${run.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}`
    let previous: string | undefined
    for (let number = 1; ; number += 1) {
      const key = `${stem}${number === 1 ? '' : `.${number}`}.manifest.json`
      const content = Buffer.from(`${JSON.stringify(this.#manifest(run, now, previous), null, 2)}\n`)
      const object = newObject(key, content, 'application/json')
      if ((await this.#store.create(object, signal)) === 'created') return key
      previous = await storedDigest(this.#store, key, signal)
      if (previous === object.sha256) return key
    }
  }

  #manifest(run: string, now: EpochMs, previous: string | undefined) {
    const files = [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    const sum = (of: (file: ArchiveFile) => number) => files.reduce((total, file) => total + of(file), 0)
    const reasons = [...this.#reasons]
    const { asked, source, layout, compression } = this.#settings
    const window = asked?.window ?? spanOf(files)
    const query = asked?.query ?? {}
    return {
      version: 1,
      runId: run,
      tool: { name: 'auditctl', version: asked?.version ?? null },
      source,
      window: isoRange(window),
      query,
      queryHash: createHash('sha256').update(JSON.stringify(query)).digest('hex'),
      format: 'jsonl',
      layout,
      compression,
      createdAt: isoTime(now),
      files,
      totals: {
        files: files.length,
        rows: sum(({ rows }) => rows),
        bytes: sum(({ bytes }) => bytes),
        rawBytes: sum(({ rawBytes }) => rawBytes),
      },
      idDigest: this.#digest.hex(),
      emptyIntervals: emptyIntervals(this.#hours, window),
      complete: reasons.length === 0,
      reasons,
      previousManifestSha256: previous ?? null,
    }
  }
}

/** Undefined for a line that a crash cut off. */
function journalEntry(line: string): JournalEntry | undefined {
  try {
    return JSON.parse(line) as JournalEntry
  } catch {
    return undefined
  }
}

/** From the first event to just behind the last. */
function spanOf(files: readonly ArchiveFile[]): TimeRange {
  const times = files.flatMap(({ firstTime, lastTime }) => [Date.parse(firstTime), Date.parse(lastTime)])
  return { from: Math.min(...times), to: Math.max(...times) + 1 }
}

/** Hours of the window for which this run wrote nothing, neighbours joined and cut to the window. */
function emptyIntervals(busy: ReadonlySet<EpochMs>, { from, to }: TimeRange) {
  const empty: { from: EpochMs; to: EpochMs }[] = []
  for (let hour = floorHour(from); hour < to; hour += HOUR_MS) {
    const last = empty.at(-1)
    if (busy.has(hour)) continue
    if (last?.to === hour) last.to = Math.min(hour + HOUR_MS, to)
    else empty.push({ from: Math.max(hour, from), to: Math.min(hour + HOUR_MS, to) })
  }
  return empty.map(isoRange)
}

// Without a Content-Encoding: a store or a client that unpacked on the way would break lengths and digests.
const TYPES = { gzip: 'application/gzip', zstd: 'application/zstd' } as const

function joined(lines: readonly ArchiveLine[]): Uint8Array {
  const raw = Buffer.allocUnsafe(lines.reduce((sum, { bytes }) => sum + bytes.length + 1, 0))
  let at = 0
  for (const { bytes } of lines) {
    raw.set(bytes, at)
    at += bytes.length
    raw[at] = 0x0a
    at += 1
  }
  return raw
}

async function storedDigest(store: ObjectStore, key: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of store.read(key, signal)) hash.update(block)
  return hash.digest('hex')
}
