import { formatDuration } from '../core/duration.ts'
import type { Observer, Progress } from '../core/runtime.ts'
import { isoTime, type TimeRange } from '../core/time-range.ts'
import type { Invocation } from './invocation.ts'
import { clearProgress, markProgress } from './progress-line.ts'
import type { Runtime } from './runtime.ts'

const LINE_EVERY_MS = 30_000
const DRAW_EVERY_MS = 100

export type ProgressReporter = {
  readonly observe: Observer
  /** Nothing is drawn while a person is asked something; gives what goes on with it. */
  hold(): () => void
  stop(): void
}

const SILENT_REPORTER: ProgressReporter = { observe: () => {}, hold: () => () => {}, stop: () => {} }

/**
 * One bar on a terminal, a line every half minute elsewhere, nothing with `-q` or `--no-progress`. The bar is cli-progress, loaded on a
 * terminal only; on stderr, like all that is not data.
 */
export async function progressReporter(
  invocation: Invocation,
  runtime: Runtime,
  window: TimeRange,
): Promise<ProgressReporter> {
  if (runtime.quiet || invocation.options['progress'] === false) return SILENT_REPORTER
  if (runtime.io.stderrIsTerminal && runtime.io.env['TERM'] !== 'dumb') return barReporter(runtime, window)
  const text = progressTexts(window, runtime.clock.monotonic())
  let last = runtime.clock.monotonic()
  return {
    observe(progress) {
      const now = runtime.clock.monotonic()
      const line = text(progress, now)
      if (now - last < LINE_EVERY_MS) return
      last = now
      runtime.log.info(line)
    },
    hold: () => () => {},
    stop: () => {},
  }
}

async function barReporter(runtime: Runtime, window: TimeRange): Promise<ProgressReporter> {
  const { default: cliProgress } = await import('cli-progress')
  const text = progressTexts(window, runtime.clock.monotonic())
  let drawn = Number.NEGATIVE_INFINITY
  // The bar draws by a timer of its own, which would draw over a question.
  let isHeld = false
  const bar = new cliProgress.SingleBar({
    stream: runtime.io.stderr,
    terminal: lineTerminal(runtime.io, () => isHeld),
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
      const line = text(progress, now)
      if (isHeld || now - drawn < DRAW_EVERY_MS) return
      drawn = now
      markProgress()
      bar.update(Math.round(1000 * partDone(progress, window)), { text: line })
    },
    hold() {
      isHeld = true
      return () => {
        isHeld = false
        drawn = Number.NEGATIVE_INFINITY
      }
    },
    stop() {
      isHeld = false
      bar.stop()
      clearProgress(runtime.io)
    },
  }
}

/**
 * The terminal as the bar sees it: one line that is drawn over and taken away. Unlike cli-progress's own it never goes back to where the
 * bar began, since questions and warnings may have been printed below that.
 */
function lineTerminal({ stderr, columns }: Runtime['io'], isHeld: () => boolean) {
  const nothing = (): void => {}
  const put = (text: string): void => {
    if (!isHeld()) stderr.write(text)
  }
  return {
    cursorSave: nothing,
    cursorRestore: nothing,
    cursor: nothing,
    cursorRelative: nothing,
    cursorRelativeReset: nothing,
    lineWrapping: nothing,
    cursorTo: () => put('\r'),
    clearRight: () => put('\u001b[K'),
    clearLine: () => put('\u001b[2K'),
    clearBottom: nothing,
    newline: () => put('\n'),
    write: (text: string) => put(text.slice(0, Math.max(1, columns - 1))),
    isTTY: () => true,
    getWidth: () => columns,
  }
}

function partDone(progress: Progress, window: TimeRange): number {
  if (progress.phase === 'settle') return 0
  if (progress.phase === 'deliver' || progress.phase === 'verify') {
    const total = progress.total ?? 0
    const done =
      progress.phase === 'verify'
        ? total - progress.events
        : (progress.delivered ?? 0) + (progress.rejected ?? 0)
    return total === 0 ? 1 : done / total
  }
  return Math.min(1, Math.max(0, (progress.done - window.from) / Math.max(1, window.to - window.from)))
}

/**
 * `scanning: 12,000 events, 4,000/s, through 2026-…Z, 2m left`, from one step to the next. Rate and rest are of the phase at hand: what the
 * scan took says nothing of the delivery.
 */
export function progressTexts(
  window: TimeRange,
  startedMs: number,
): (step: Progress, nowMs: number) => string {
  let first:
    | { readonly phase: Progress['phase']; readonly sinceMs: number; readonly at: Progress }
    | undefined
  return (progress, nowMs) => {
    // What the first phase did before its first word counts; a later one goes on from where it stood.
    if (first === undefined)
      first = { phase: progress.phase, sinceMs: startedMs, at: nothingOf(progress, window) }
    else if (first.phase !== progress.phase) first = { phase: progress.phase, sinceMs: nowMs, at: progress }
    return textOf(progress, first.at, window, nowMs - first.sinceMs)
  }
}

function nothingOf(progress: Progress, window: TimeRange): Progress {
  return progress.phase === 'deliver' ? progress : { ...progress, done: window.from, events: 0 }
}

const number = (value: number): string => value.toLocaleString('en-US')

function textOf(progress: Progress, first: Progress, window: TimeRange, elapsedMs: number): string {
  const { phase, events, total = 0, delivered = 0, retries = 0, rejected = 0 } = progress
  if (phase === 'verify') return `verifying: ${number(events)} of ${number(total)} not found yet`
  if (phase === 'settle') return `settling: looking for ${number(events)} events of unknown outcome`
  const part = partDone(progress, window)
  const gained = part - partDone(first, window)
  const left = gained > 0 && part < 1 ? `, ${formatDuration((elapsedMs / gained) * (1 - part))} left` : ''
  const rate = (count: number): string =>
    count > 0 && elapsedMs > 0 ? `, ${number(Math.round((count * 1000) / elapsedMs))}/s` : ''
  if (phase === 'deliver')
    return `delivering: ${number(delivered)} of ${number(total)} events${rate(delivered - (first.delivered ?? 0))}, ${number(retries)} retries, ${number(rejected)} not sent${left}`
  const word = phase === 'export' ? 'exporting' : 'scanning'
  return `${word}: ${number(events)} events${rate(events - first.events)}, through ${isoTime(progress.done)}${left}`
}
