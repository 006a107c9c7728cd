export type Turns = {
  /** Resolves when it is the caller's turn, with what ends it. @throws the signal's reason when aborted while waiting */
  take(signal: AbortSignal): Promise<() => void>
}

/** A line in which one is served at a time. */
export function oneAtATime(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    async take(signal) {
      const before = last
      let release: () => void = () => {}
      last = new Promise((resolve) => {
        release = resolve
      })
      await before
      if (signal.aborted) {
        release()
        throw signal.reason
      }
      return release
    },
  }
}
