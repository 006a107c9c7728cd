import type { Clock } from '../core/runtime.ts'

/** Ink's: gives the terminal back as it was, does the work, takes it again and draws everything anew. */
export type GiveTerminal = (work: () => Promise<void>) => Promise<void>

export type Suspension = {
  /** Called once Ink can give the terminal away. */
  holdTerminal(give: GiveTerminal): void
  /** Stops the whole job, as Ctrl-Z does elsewhere; ends when it goes on. */
  suspend(): void
  close(): void
}

/** So long a stop may take to come; where nobody could continue us (no shell with jobs) the system leaves it out. */
const STOP_WITHIN_MS = 250

/**
 * Ctrl-Z and `kill -TSTP` leave a terminal that can be typed in, and `fg` draws the screen again, also after a stop that could not be seen
 * coming (`kill -STOP`).
 */
export function createSuspension(
  screen: { leave(): void; enter(): void },
  clock: Pick<Clock, 'sleep'>,
): Suspension {
  let give: GiveTerminal | undefined
  let isAway = false
  const away = async (work: () => Promise<void>): Promise<void> => {
    if (give === undefined || isAway) return
    isAway = true
    try {
      await give(async () => {
        screen.leave()
        await work()
        screen.enter()
      })
    } catch {
      // The terminal is gone: whoever listens to it says so.
    } finally {
      isAway = false
    }
  }
  const suspend = (): void => void away(stopJob)
  const redraw = (): void => void away(() => Promise.resolve())
  const stopJob = async (): Promise<void> => {
    const continued = new AbortController()
    const onContinue = (): void => continued.abort()
    process.on('SIGCONT', onContinue)
    process.off('SIGTSTP', suspend)
    try {
      process.kill(0, 'SIGTSTP')
      await clock.sleep(STOP_WITHIN_MS, continued.signal).catch(() => {})
    } finally {
      process.off('SIGCONT', onContinue)
      process.on('SIGTSTP', suspend)
    }
  }
  process.on('SIGTSTP', suspend)
  process.on('SIGCONT', redraw)
  return {
    holdTerminal: (given) => {
      give = given
    },
    suspend,
    close() {
      process.off('SIGTSTP', suspend)
      process.off('SIGCONT', redraw)
    },
  }
}
