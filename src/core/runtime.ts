import type { EpochMs } from './time-range.ts'

/** The only clock and the only dice; tests hand in their own. */
export interface Clock {
  now(): EpochMs
  /** Milliseconds that never jump, for durations. */
  monotonic(): number
  /** @throws the signal's reason when it fires first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** In `[0, 1)`. */
  random(): number
}

/** Structured log to stderr. Fields are shown with `--log-format json` and `-v`; never a secret. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
}
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

export const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {} }

/** What an operation tells while it works; every call is cheap and may be ignored. */
export type Progress = {
  /** Of the window: how far it is answered for. */
  readonly done: EpochMs
  readonly events: number
  readonly delivered?: number
  readonly total?: number
  readonly retries?: number
  readonly rejected?: number
  readonly phase: 'scan' | 'deliver' | 'settle' | 'verify' | 'export'
}
export type Observer = (progress: Progress) => void
