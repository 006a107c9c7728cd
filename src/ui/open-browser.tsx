import { render } from 'ink'
import type { BrowserOperations, BrowserQuery, Notice } from '../core/browser.ts'
import { EXIT, InterruptedError } from '../core/errors.ts'
import type { Clock } from '../core/runtime.ts'
import { App } from './app.tsx'
import { createPerformer } from './perform.ts'
import { initialState } from './state.ts'
import { createStore } from './store.ts'
import { createSuspension } from './suspension.ts'
import { createTheme, isUtf8 } from './theme.ts'

/** A line longer than the terminal thinks it is must not push the screen up: it is cut instead. */
const NO_WRAP = '\x1b[?7l'
const WRAP = '\x1b[?7h'

/** What the browser begins with, once the source is open. */
export type Opened = { readonly operations: BrowserOperations; readonly query: BrowserQuery }

export type BrowserOptions = {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly color: boolean
  /** Ends the browser, the screen restored. */
  readonly signal: AbortSignal
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'sleep'>
  /** Called once the screen stands; what it says aside goes to `notify`. */
  readonly open: (notify: (notice: Notice) => void) => Promise<Opened>
}

/**
 * The browser on the terminal's other screen, until it is left. However it ends, the terminal is as it was before.
 * @throws the signal's reason, InterruptedError on Ctrl-C, what `open` threw, and what went wrong inside
 */
export async function openBrowser(options: BrowserOptions): Promise<void> {
  const { stdin, stdout, signal, clock } = options
  const theme = createTheme({ color: options.color, unicode: isUtf8(options.env) })
  const ending = Promise.withResolvers<void>()
  // Whoever waits comes later; until then a failure must not count as unheard.
  ending.promise.catch(() => {})
  let opened: Opened | undefined
  const suspension = createSuspension(
    { leave: () => stdout.write(WRAP), enter: () => stdout.write(NO_WRAP) },
    clock,
  )
  const performer = createPerformer({
    operations: () => {
      if (opened === undefined) throw new TypeError('the source is not open yet')
      return opened.operations
    },
    monotonic: clock.monotonic,
    quit: (interrupted) =>
      interrupted ? ending.reject(new InterruptedError('interrupted', EXIT.sigint)) : ending.resolve(),
    suspend: suspension.suspend,
  })
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const store = createStore(initialState(size()), { now: clock.now, perform: performer.perform })

  const onResize = (): void => store.dispatch({ type: 'resized', size: size() })
  const onAbort = (): void => ending.reject(signal.reason)
  const onGone = (): void => ending.reject(new InterruptedError('the terminal has gone', EXIT.sigterm))
  const onCrash = (error: unknown): void => ending.reject(error)
  const restoreWrap = (): void => void stdout.write(WRAP)
  stdout.on('resize', onResize)
  stdout.on('error', onGone)
  stdin.on('error', onGone)
  stdin.on('end', onGone)
  signal.addEventListener('abort', onAbort)
  process.on('uncaughtException', onCrash)
  process.on('unhandledRejection', onCrash)
  process.on('exit', restoreWrap)
  stdout.write(NO_WRAP)
  const ink = render(<App store={store} theme={theme} holdTerminal={suspension.holdTerminal} />, {
    stdin,
    stdout,
    exitOnCtrlC: false,
    patchConsole: false,
    alternateScreen: true,
    incrementalRendering: true,
    // Ink takes a terminal under CI for none.
    interactive: true,
    maxFps: 60,
  })
  // A component that throws ends Ink, not us.
  ink.waitUntilExit().then(() => ending.resolve(), ending.reject)
  try {
    if (signal.aborted) onAbort()
    options
      .open((notice) => store.dispatch({ type: 'notice', notice }))
      .then((value) => {
        opened = value
        store.dispatch({ type: 'opened', ...value })
      }, ending.reject)
    await ending.promise
  } finally {
    suspension.close()
    ink.unmount()
    restoreWrap()
    process.off('exit', restoreWrap)
    await performer.stop()
    process.off('uncaughtException', onCrash)
    process.off('unhandledRejection', onCrash)
    signal.removeEventListener('abort', onAbort)
    stdin.off('end', onGone)
    stdin.off('error', onGone)
    stdout.off('error', onGone)
    stdout.off('resize', onResize)
  }
}
