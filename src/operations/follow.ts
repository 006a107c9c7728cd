import { AuthError, RemoteError } from '../core/errors.ts'
import type { AuditEvent } from '../core/event.ts'
import type { EventFilter } from '../core/filter.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { readSlices } from './read-slices.ts'

export type FollowOptions = {
  readonly from: number
  readonly filter: EventFilter
  readonly intervalMs: number
  /** Reading the log writes to it: such events of our own are left out unless asked for. */
  readonly showOwnReads: boolean
}

export type FollowParts = {
  readonly source: AuditSource
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
}

/** How far each look reaches back at least for events that arrive late; a source that is later says so. */
const LEAST_LOOK_BACK_MS = 10 * 60_000
/** Requests end in the past: the present second may still be written to. */
const BEHIND_MS = 1000

/**
 * New events as they appear, oldest first, late ones too, each once. A server that goes away is waited for; refused credentials end it.
 * Ends when the signal fires.
 */
export async function* followEvents(
  parts: FollowParts,
  options: FollowOptions,
): AsyncGenerator<readonly AuditEvent[]> {
  const { source, clock, log, signal } = parts
  const lookBackMs = Math.max(LEAST_LOOK_BACK_MS, source.traits.allowedLatenessMs)
  const seen = new Map<string, number>()
  let done = options.from
  let failures = 0
  for (;;) {
    const to = clock.now() - BEHIND_MS
    const window = { from: Math.max(options.from, done - lookBackMs), to }
    try {
      if (window.to > window.from) {
        for await (const { events } of readSlices(source, window, options.filter, {
          ...parts,
          order: 'asc',
        })) {
          const fresh = events.filter((event) => !seen.has(event.id))
          for (const event of fresh) seen.set(event.id, event.occurredAtMs)
          const shown = options.showOwnReads
            ? fresh
            : fresh.filter((event) => source.traits.isOwnRead?.(event) !== true)
          if (shown.length > 0) yield shown
        }
        done = to
      }
      failures = 0
      for (const [id, ms] of seen) if (ms < done - lookBackMs) seen.delete(id)
    } catch (error) {
      if (signal.aborted || error instanceof AuthError || !(error instanceof RemoteError)) throw error
      failures += 1
      log.warn(`${error.message}; looking again (${failures})`)
    }
    await clock.sleep(options.intervalMs, signal)
  }
}
