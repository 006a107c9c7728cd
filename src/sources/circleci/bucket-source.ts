import type { Check } from '../../core/check.ts'
import { formatDuration } from '../../core/duration.ts'
import { AuditctlError, EXIT } from '../../core/errors.ts'
import type {
  AuditSource,
  OpenOptions,
  OpenWindow,
  SourceIdentity,
  SourcePlan,
  SourceTraits,
  StreamedSettings,
} from '../../core/source.ts'
import { DAY_MS, HOUR_MS, isoTime, type TimeRange } from '../../core/time-range.ts'
import { digestedName, folderPrefix, hourFolder } from '../../storage/objects/hour-keys.ts'
import { Hours, hoursFor } from '../../storage/objects/hours.ts'
import type { ObjectStore } from '../../storage/objects/store.ts'
import type { SourceParts } from '../define-source.ts'
import { ObjectEvents } from './object-events.ts'
import { openBucket } from './open-bucket.ts'
import { circleciShape } from './shape.ts'
import { BEFORE_MS } from './slices.ts'

export type BucketSourceSettings = {
  readonly bucket: string
  readonly prefix: string | undefined
  readonly endpoint: string | undefined
  readonly slackMs: number
  readonly liveRetryMs: number
  readonly retentionDays: number | undefined
}

/** CircleCI's stream of audit logs, read from the bucket it is delivered to. */
export class BucketSource implements AuditSource {
  readonly name: string
  readonly shape = circleciShape
  readonly traits: SourceTraits
  readonly streamedSettings: StreamedSettings
  readonly #settings: BucketSourceSettings
  readonly #parts: SourceParts
  readonly #prefix: string
  readonly #open: () => Promise<ObjectStore>
  #store: Promise<ObjectStore> | undefined
  #opened: ObjectStore | undefined

  constructor(
    name: string,
    settings: BucketSourceSettings,
    parts: SourceParts,
    open: () => Promise<ObjectStore>,
  ) {
    this.name = name
    this.traits = {
      allowedLatenessMs: settings.slackMs,
      liveRetryMs: settings.liveRetryMs,
      retentionMs: settings.retentionDays === undefined ? undefined : settings.retentionDays * DAY_MS,
    }
    this.streamedSettings = { store: 'postgres', retentionDays: settings.retentionDays }
    this.#settings = settings
    this.#parts = parts
    this.#prefix = folderPrefix(settings.prefix)
    this.#open = open
  }

  async open(window: TimeRange, _filter: unknown, options: OpenOptions): Promise<OpenWindow> {
    const { log, strict } = this.#parts
    const { slackMs } = this.#settings
    const store = await this.#bucket()
    return openBucket(window, { store, prefix: this.#prefix, slackMs, log, isStrict: strict }, options)
  }

  plan(window: TimeRange): SourcePlan {
    const folders = hoursFor(window, BEFORE_MS, this.#settings.slackMs)
    const last = hourFolder(folders.to - HOUR_MS, 'circleci')
    return {
      requests: [
        `list ${this.#where()}${hourFolder(folders.from, 'circleci')} to ${last}, both paddings of the numbers`,
        'read every object found there',
      ],
      pushedDown: [],
      local: [`the window ${isoTime(window.from)} to ${isoTime(window.to)} on occurred_at`, 'every filter'],
      estimatedPages: undefined,
    }
  }

  async identify(): Promise<SourceIdentity> {
    return {
      url: this.#settings.endpoint,
      organization: undefined,
      identity: undefined,
      scope: this.#where(),
      generation: undefined,
    }
  }

  async test(signal: AbortSignal): Promise<readonly Check[]> {
    const checks: Check[] = []
    try {
      const store = await this.#bucket()
      await store.probe(signal)
      checks.push({ check: 'bucket', state: 'ok', message: `${this.#where()} may be listed` })
      checks.push(await this.#newest(store, signal))
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      checks.push({
        check: checks.length === 0 ? 'bucket' : 'objects',
        state: 'failure',
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        ...(error.exitCode === EXIT.auth ? { refused: true as const } : {}),
      })
    }
    return checks
  }

  requests(): number {
    return this.#opened?.requests() ?? 0
  }

  async close(): Promise<void> {
    await this.#opened?.close()
  }

  /** Reads the newest file of the last two days: that it may be read, and is what it should be. */
  async #newest(store: ObjectStore, signal: AbortSignal): Promise<Check> {
    const now = this.#parts.clock.now()
    const hours = new Hours(store, this.#prefix, 'circleci', digestedName)
    for await (const { from, objects } of hours.within({ from: now - 2 * DAY_MS, to: now }, signal, 'desc')) {
      const newest = objects.at(-1)
      if (newest === undefined) continue
      const reader = new ObjectEvents({ store, log: this.#parts.log, isStrict: false })
      const events = await reader.read(newest, { from: 0, to: Number.MAX_SAFE_INTEGER }, signal)
      const [warning] = reader.warnings()
      const message = `the newest file holds ${events.length} events, in the folder of ${isoTime(from)}`
      return warning === undefined
        ? { check: 'objects', state: 'ok', message }
        : { check: 'objects', state: 'warning', message: `${message}; ${warning}` }
    }
    return {
      check: 'objects',
      state: 'warning',
      message: `no file was delivered in the last ${formatDuration(2 * DAY_MS)}`,
      hint: 'check "prefix", and in CircleCI under Organization Settings > Security > Audit log streaming that the status is Connected',
    }
  }

  async #bucket(): Promise<ObjectStore> {
    this.#store ??= this.#open()
    try {
      this.#opened = await this.#store
      return this.#opened
    } catch (error) {
      this.#store = undefined
      throw error
    }
  }

  #where(): string {
    return `s3://${this.#settings.bucket}/${this.#prefix}`
  }
}
