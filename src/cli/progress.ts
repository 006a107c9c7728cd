import { formatDuration } from '../core/duration.ts'
import type { Observer, Progress } from '../core/runtime.ts'
import { isoTime, type TimeRange } from '../core/time-range.ts'
import type { Invocation } from './invocation.ts'
import { clearProgress, markProgress } from './progress-line.ts'
import type { Runtime } from './runtime.ts'

const LINE_EVERY_MS = 30_000
const DRAW_EVERY_MS = 100

export type ProgressReporter = { readonly observe: Observer; stop(): void }

/**
 * One bar on a terminal, a line every half minute elsewhere, nothing with `-q` or `--no-progress`. The bar is cli-progress, loaded on a
 * terminal only; on stderr, like all that is not data.
 */
export async function progressReporter(
  invocation: Invocation,
  runtime: Runtime,
  window: TimeRange,
): Promise<ProgressReporter> {
  if (runtime.quiet || invocation.options['progress'] === false) return { observe: () => {}, stop: () => {} }
  if (runtime.io.stderrIsTerminal && runtime.io.env['TERM'] !== 'dumb') return barReporter(runtime, window)
  const started = runtime.clock.monotonic()
  let last = started
  return {
    observe(progress) {
      const now = runtime.clock.monotonic()
      if (now - last < LINE_EVERY_MS) return
      last = now
      runtime.log.info(progressText(progress, window, now - started))
    },
    stop: () => {},
  }
}

async function barReporter(runtime: Runtime, window: TimeRange): Promise<ProgressReporter> {
  const { default: cliProgress } = await import('cli-progress')
  const started = runtime.clock.monotonic()
  let drawn = Number.NEGATIVE_INFINITY
  const bar = new cliProgress.SingleBar({
    stream: runtime.io.stderr,
    terminal: lineTerminal(runtime.io),
    format: '{bar} {text}',
    barsize: 20,
    barCompleteChar: '#',
    barIncompleteChar: '-',
    hideCursor: false,
    clearOnComplete: true,
    stopOnComplete: false,
    autopadding: false,
    fps: 10,
    gracefulExit: false,
  } as ConstructorParameters<typeof cliProgress.SingleBar>[0])
  bar.start(1000, 0, { text: 'starting' })
  markProgress()
  return {
    observe(progress) {
      const now = runtime.clock.monotonic()
      if (now - drawn < DRAW_EVERY_MS) return
      drawn = now
      markProgress()
      bar.update(Math.round(1000 * partDone(progress, window)), {
        text: progressText(progress, window, now - started),
      })
    },
    stop() {
      bar.stop()
      clearProgress(runtime.io)
    },
  }
}

/**
 * The terminal as the bar sees it: one line that is drawn over and taken away. Unlike cli-progress's own it never goes back to where the
 * bar began, since questions and warnings may have been printed below that.
 */
function lineTerminal({ stderr, columns }: Runtime['io']) {
  const nothing = (): void => {}
  return {
    cursorSave: nothing,
    cursorRestore: nothing,
    cursor: nothing,
    cursorRelative: nothing,
    cursorRelativeReset: nothing,
    lineWrapping: nothing,
    cursorTo: () => stderr.write('\r'),
    clearRight: () => stderr.write('\u001b[K'),
    clearLine: () => stderr.write('\u001b[2K'),
    clearBottom: nothing,
    newline: () => stderr.write('\n'),
    write: (text: string) => stderr.write(text.slice(0, Math.max(1, columns - 1))),
    isTTY: () => true,
    getWidth: () => columns,
  }
}

function partDone(progress: Progress, window: TimeRange): number {
  if (progress.phase === 'deliver' || progress.phase === 'verify' || progress.phase === 'settle') {
    const total = progress.total ?? 0
    const done =
      progress.phase === 'verify'
        ? total - progress.events
        : (progress.delivered ?? 0) + (progress.rejected ?? 0)
    return total === 0 ? 1 : done / total
  }
  return Math.min(1, Math.max(0, (progress.done - window.from) / Math.max(1, window.to - window.from)))
}

/** `scanning: 12,000 events, 4,000/s, through 2026-…Z, 2m left`. */
export function progressText(progress: Progress, window: TimeRange, elapsedMs: number): string {
  const part = partDone(progress, window)
  const left = part > 0 && part < 1 ? `, ${formatDuration((elapsedMs / part) * (1 - part))} left` : ''
  const number = (value: number): string => value.toLocaleString('en-US')
  if (progress.phase === 'deliver') {
    const rate = Math.round(((progress.delivered ?? 0) * 1000) / Math.max(1, elapsedMs))
    return `delivering: ${number(progress.delivered ?? 0)} of ${number(progress.total ?? 0)} events, ${number(rate)}/s, ${progress.retries ?? 0} retries, ${number(progress.rejected ?? 0)} not sent${left}`
  }
  if (progress.phase === 'verify')
    return `verifying: ${number(progress.events)} of ${number(progress.total ?? 0)} not found yet`
  const rate = Math.round((progress.events * 1000) / Math.max(1, elapsedMs))
  const word = progress.phase === 'export' ? 'exporting' : 'scanning'
  return `${word}: ${number(progress.events)} events, ${number(rate)}/s, through ${isoTime(progress.done)}${left}`
}
