import type { Clock } from '../../core/runtime.ts'
import type { Ledger } from '../../state/ledger.ts'
import type { RunRecord } from '../../state/run-record.ts'
import { type ExportProgress, NO_PROGRESS } from './types.ts'

/** Syncing after each page would cost more than writing it; a killed export repeats at most this much. */
const EVERY_MS = 2000
const EVERY_BYTES = 64 << 20

/** Records how far an export is, in one transaction, always after the data it speaks of is on disk. */
export class Checkpoints {
  readonly start: ExportProgress
  /** What was recorded last. */
  last: ExportProgress
  readonly #ledger: Ledger
  readonly #run: RunRecord
  readonly #clock: Clock
  #lastMs: number
  #lastBytes: number

  constructor(ledger: Ledger, run: RunRecord, clock: Clock) {
    this.#ledger = ledger
    this.#run = run
    this.#clock = clock
    this.start = { ...NO_PROGRESS, ...ledger.readWatermark<ExportProgress>(nameOf(run)) }
    this.last = this.start
    this.#lastMs = clock.monotonic()
    this.#lastBytes = this.start.rawBytes
  }

  /** `progress` is asked for only when it is time. */
  async mayCommit(
    progress: () => ExportProgress,
    rawBytes: number,
    sync: () => Promise<void>,
  ): Promise<void> {
    const isDue =
      this.#clock.monotonic() - this.#lastMs >= EVERY_MS || rawBytes - this.#lastBytes >= EVERY_BYTES
    if (isDue) await this.commit(progress(), sync)
  }

  async commit(progress: ExportProgress, sync: () => Promise<void>): Promise<void> {
    await sync()
    this.#ledger.writeWatermark(nameOf(this.#run), progress)
    this.last = progress
    this.#lastMs = this.#clock.monotonic()
    this.#lastBytes = progress.rawBytes
  }

  forget(): void {
    this.#ledger.forgetWatermark(nameOf(this.#run))
  }
}

function nameOf(run: RunRecord): string {
  return `run ${run.id}`
}
