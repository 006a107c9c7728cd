import type { Check } from '../../core/check.ts'
import { UserError } from '../../core/errors.ts'
import type { Outline } from '../../core/outlines.ts'
import type {
  AuditSource,
  EventShape,
  OpenOptions,
  OpenWindow,
  Slice,
  SourceIdentity,
  SourcePlan,
  SourceTraits,
  StreamedSettings,
} from '../../core/source.ts'
import { DAY_MS, isoTime, type TimeRange } from '../../core/time-range.ts'
import type { SourceParts } from '../define-source.ts'
import { BrokenLines } from './broken-lines.ts'
import { findInputs } from './input.ts'
import { looksLikeInfisical } from './looks-like.ts'
import { readManifest } from './manifest.ts'
import { Shelf } from './shelf.ts'
import { cutWindow, readSlice } from './slices.ts'
import { Survey } from './survey.ts'

const SLICE_BYTES = 8 * 1024 * 1024
const LEAST_SLICE_BYTES = 1024 * 1024
/** What all slices that are read at once may hold together. */
const AHEAD_BYTES = 32 * 1024 * 1024

export type FileSettings = {
  readonly path: string
  /** Undefined: taken for Infisical's, as long as the first event does not contradict. */
  readonly of: string | undefined
  readonly retentionDays: number | undefined
  readonly liveRetryMs: number
}

export class FileSource implements AuditSource {
  readonly name: string
  readonly shape: EventShape
  readonly traits: SourceTraits
  readonly streamedSettings: StreamedSettings
  readonly #settings: FileSettings
  readonly #parts: SourceParts
  #isStdinTaken = false

  constructor(name: string, shape: EventShape, settings: FileSettings, parts: SourceParts) {
    this.name = name
    this.shape = shape
    this.traits = {
      allowedLatenessMs: 0,
      liveRetryMs: settings.liveRetryMs,
      retentionMs: settings.retentionDays === undefined ? undefined : settings.retentionDays * DAY_MS,
    }
    this.streamedSettings = { store: 'postgres', retentionDays: settings.retentionDays }
    this.#settings = settings
    this.#parts = parts
  }

  async open(window: TimeRange, _filter: unknown, options: OpenOptions): Promise<OpenWindow> {
    const broken = new BrokenLines(this.#parts.log, this.#parts.strict)
    const shelf = new Shelf(() => this.#parts.scratch())
    const warnings: string[] = []
    let outlines: readonly Outline[]
    try {
      outlines = await this.#survey(window, shelf, broken, warnings, options.signal)
    } catch (error) {
      await shelf.close()
      throw error
    }
    const bytes = Math.max(
      LEAST_SLICE_BYTES,
      Math.min(SLICE_BYTES, Math.floor(AHEAD_BYTES / options.concurrency)),
    )
    const ranges = cutWindow(window, shelf.extents, bytes, LEAST_SLICE_BYTES)
    if (options.order === 'desc') ranges.reverse()
    const parts = { shelf, shape: this.shape, outlines }
    const held = new WeakMap<Slice, Buffer[]>()
    return {
      async *slices() {
        for (const [index, range] of ranges.entries()) yield { index, range }
      },
      read(slice: Slice, signal: AbortSignal) {
        const own = held.get(slice) ?? []
        held.set(slice, own)
        return readSlice(parts, slice, own, signal)
      },
      release(slice: Slice) {
        shelf.giveBack(held.get(slice) ?? [])
        held.delete(slice)
      },
      warnings: () => [...warnings, ...broken.warnings()],
      brokenLines: () => broken.count,
      close: () => shelf.close(),
    }
  }

  plan(window: TimeRange): SourcePlan {
    return {
      requests: [`read ${this.#where()} once, from ${isoTime(window.from)} to ${isoTime(window.to)}`],
      pushedDown: [],
      local: ['every filter'],
      estimatedPages: undefined,
    }
  }

  async identify(): Promise<SourceIdentity> {
    return {
      url: undefined,
      organization: undefined,
      identity: undefined,
      scope: this.#where(),
      generation: undefined,
    }
  }

  async test(signal: AbortSignal): Promise<readonly Check[]> {
    const { path } = this.#settings
    if (path === '-') return [{ check: 'file', state: 'ok', message: 'read from stdin when a command runs' }]
    const found = await findInputs(path, { ...this.#parts, signal })
    for await (const input of found.inputs) {
      // Opening and unpacking the beginning shows whether the file may be read and is what it says.
      for await (const block of input.text()) if (block.length > 0) break
    }
    const files = `${found.files} ${found.files === 1 ? 'file' : 'files'}`
    return [{ check: 'file', state: 'ok', message: `${files} of ${this.shape.type} under ${this.#where()}` }]
  }

  requests(): number {
    return 0
  }

  async close(): Promise<void> {}

  #where(): string {
    return this.#settings.path === '-' ? 'stdin' : this.#settings.path
  }

  async #survey(
    window: TimeRange,
    shelf: Shelf,
    broken: BrokenLines,
    warnings: string[],
    signal: AbortSignal,
  ): Promise<readonly Outline[]> {
    const { path, of } = this.#settings
    const { log, baseDir } = this.#parts
    if (path === '-') {
      if (this.#isStdinTaken) {
        throw new UserError('stdin can be read only once', {
          hint: 'save it to a file and name that as the path',
        })
      }
      this.#isStdinTaken = true
    }
    const manifest = await readManifest(path, baseDir)
    if (manifest?.isComplete === false)
      warnings.push(`${path}: its manifest says that the export is not complete`)
    const found = await findInputs(
      path,
      { ...this.#parts, signal },
      (file, bytes) => manifest?.isOutside(file, bytes, window) !== true,
    )
    const survey = new Survey({
      shape: this.shape,
      window,
      shelf,
      broken,
      signal,
      onFirst: (record, file) => {
        if (of === undefined && !looksLikeInfisical(record)) throw unknownShape(this.name, file)
      },
      onSkipped: (file, reason) => warnings.push(`${file} was left out: ${reason}`),
    })
    for await (const input of found.inputs) await survey.add(input)
    for (const file of found.skipped) log.debug(`${file} holds no data and was left out`)
    await survey.finish()
    if (survey.met === 0 && broken.count > 0) {
      warnings.push(
        `${path}: not one line is an event of ${this.shape.type}: does "of" name the right product?`,
      )
    }
    return survey.outlines
  }
}

function unknownShape(name: string, file: string): UserError {
  return new UserError(`${file}: its events are not in the shape of Infisical's audit log`, {
    hint: `set "of" in sources.${name} to the type of the source that the events came from`,
    code: 'unknown-shape',
  })
}
