import { EXIT, InterruptedError } from '../core/errors.ts'
import type { HttpClient } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { Metrics } from './metrics.ts'
import type { Output } from './output.ts'

export type Io = {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdinIsTerminal: boolean
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  /** Width of the terminal on stdout; 80 where there is none. */
  readonly columns: number
}

/** Built once by `main`; everything in it that costs something is made on first use. */
export interface Runtime {
  readonly io: Io
  readonly clock: Clock
  readonly log: Log
  readonly output: Output
  readonly version: string
  /** Fires on SIGINT, SIGTERM, SIGHUP and `--deadline`, with the InterruptedError as its reason. */
  readonly signal: AbortSignal
  readonly quiet: boolean
  /** Commands add what they counted; written for `--metrics-file`, whatever the end. */
  readonly metrics: Metrics
  readonly color: boolean
  http(): Promise<HttpClient>
  /** A fresh private folder, removed when the command ends. */
  scratch(): Promise<string>
  /** Runs when the command ends, in reverse order. */
  onExit(clean: () => Promise<void> | void): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      // setTimeout fires at once for more than 2^31 ms.
      const timer = setTimeout(done, Math.min(ms, 2_000_000_000))
      const abort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason as Error)
      }
      function done(): void {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      signal?.addEventListener('abort', abort, { once: true })
    })
  },
}

/**
 * First SIGINT, SIGTERM or SIGHUP aborts the returned signal, so that the command records its state and ends by itself; a second one leaves
 * at once. `stop` takes the handlers off again.
 */
export function watchSignals(deadlineMs: number | undefined): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    const code = name === 'SIGINT' ? EXIT.sigint : EXIT.sigterm
    if (controller.signal.aborted) process.exit(code)
    controller.abort(new InterruptedError(name === 'SIGINT' ? 'interrupted' : `stopped by ${name}`, code))
  }
  const names: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of names) process.on(name, onSignal)
  const timer =
    deadlineMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new InterruptedError('the deadline was reached', EXIT.deadline)),
          deadlineMs,
        )
  timer?.unref()
  return {
    signal: controller.signal,
    stop() {
      for (const name of names) process.off(name, onSignal)
      clearTimeout(timer)
    },
  }
}
