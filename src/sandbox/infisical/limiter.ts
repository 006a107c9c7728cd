/** Where a client stands in the current minute. */
export type Turn = {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Whole seconds until the window ends, rounded up. */
  readonly resetSeconds: number
}

export type Limiter = { take(key: string, limit: number): Turn; clear(): void }

const WINDOW_MS = 60_000

/** Fixed windows of 60 s, one per key, each from the first request in it. */
export function limiter(now: () => number): Limiter {
  const windows = new Map<string, { startedAt: number; used: number }>()
  return {
    take(key, limit) {
      let window = windows.get(key)
      if (window === undefined || now() - window.startedAt >= WINDOW_MS) {
        window = { startedAt: now(), used: 0 }
        windows.set(key, window)
      }
      window.used += 1
      return {
        allowed: window.used <= limit,
        limit,
        remaining: Math.max(0, limit - window.used),
        resetSeconds: Math.max(1, Math.ceil((window.startedAt + WINDOW_MS - now()) / 1000)),
      }
    },
    clear: () => windows.clear(),
  }
}
