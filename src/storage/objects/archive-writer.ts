import { createHash } from 'node:crypto'
import { IdDigest } from '../../core/id-digest.ts'
import { type EpochMs, isoTime } from '../../core/time-range.ts'
import { type Compression, compressMember } from '../compress.ts'
import { archiveFolder, type Layout, objectName, partitionOf } from './layouts.ts'
import type { ObjectStore } from './store.ts'
import { newObject, type Written, writeOnce } from './write-once.ts'

/** One event's line, without its line end. */
export type ArchiveLine = { readonly bytes: Uint8Array; readonly id: string; readonly atMs: EpochMs }

/** An object that was written, as a manifest lists it. */
export type ArchiveFile = {
  /** Below the archive's folder. */
  readonly path: string
  readonly bytes: number
  readonly rawBytes: number
  readonly sha256: string
  readonly md5: string
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
  /** `infisical`: a Hive archive keeps the products apart. */
  readonly sourceType: string
}

/** Lines of one partition, in the order they came. `positions`: where they stood in what was given. */
export type Partition = { readonly lines: readonly ArchiveLine[]; readonly positions: readonly number[] }

/** Writes events into an archive, an object for each partition, and the run's manifest last. */
export class ArchiveWriter {
  readonly folder: string
  readonly #store: ObjectStore
  readonly #settings: ArchiveSettings
  readonly #files = new Map<string, ArchiveFile>()
  readonly #digest = new IdDigest()
  readonly #reasons = new Set<string>()

  constructor(store: ObjectStore, settings: ArchiveSettings) {
    this.#store = store
    this.#settings = settings
    this.folder = archiveFolder(settings.layout, settings.prefix, settings.sourceType)
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
    const object = newObject(
      '',
      content,
      compression === 'none' ? 'application/x-ndjson' : TYPES[compression],
    )
    const sha1 = createHash('sha1').update(content).digest('hex')
    const path = objectName(layout, {
      firstMs: first.atMs,
      lastMs: last.atMs,
      compression,
      sha1,
      sha256: object.sha256,
    })
    const written = await writeOnce(this.#store, { ...object, key: `${this.folder}${path}` }, signal)
    if (!this.#files.has(path)) {
      for (const { id } of sorted) this.#digest.add(id)
      this.#files.set(path, {
        path,
        bytes: content.length,
        rawBytes: raw.length,
        sha256: object.sha256,
        md5: object.md5,
        rows: sorted.length,
        firstTime: isoTime(first.atMs),
        lastTime: isoTime(last.atMs),
        firstId: first.id,
        lastId: last.id,
      })
    }
    return written
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
    if (this.#files.size === 0) return undefined
    const stem = `${this.folder}_${run.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}`
    let previous: string | undefined
    for (let number = 1; ; number += 1) {
      const key = `${stem}${number === 1 ? '' : `.${number}`}.manifest.json`
      const content = Buffer.from(`${JSON.stringify(this.#manifest(run, now, previous), null, 2)}\n`)
      const object = newObject(key, content, 'application/json')
      if ((await this.#store.create(object, signal)) === 'created') return key
      previous = await digestOf(this.#store, key, signal)
      if (previous === object.sha256) return key
    }
  }

  #manifest(run: string, now: EpochMs, previous: string | undefined) {
    const files = [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    const sum = (of: (file: ArchiveFile) => number) => files.reduce((total, file) => total + of(file), 0)
    const times = files.flatMap(({ firstTime, lastTime }) => [firstTime, lastTime]).sort()
    const reasons = [...this.#reasons]
    return {
      version: 1,
      runId: run,
      tool: { name: 'auditctl' },
      source: { type: this.#settings.sourceType },
      window: { from: times[0], to: isoTime(Date.parse(times.at(-1) ?? '') + 1) },
      format: 'jsonl',
      layout: this.#settings.layout,
      compression: this.#settings.compression,
      createdAt: isoTime(now),
      files,
      totals: {
        files: files.length,
        rows: sum(({ rows }) => rows),
        bytes: sum(({ bytes }) => bytes),
        rawBytes: sum(({ rawBytes }) => rawBytes),
      },
      idDigest: this.#digest.hex(),
      complete: reasons.length === 0,
      reasons,
      previousManifestSha256: previous ?? null,
    }
  }
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

async function digestOf(store: ObjectStore, key: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of store.read(key, signal)) hash.update(block)
  return hash.digest('hex')
}
