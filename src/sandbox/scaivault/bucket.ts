/** A bucket of permits that fills up continuously, as large as its limit. */
export type Bucket = {
  take(): { readonly allowed: boolean; readonly headers: Readonly<Record<string, string>> }
}

export function bucketOf(perMinute: number, now: () => number): Bucket {
  let level = perMinute
  let at = now()
  return {
    take() {
      level = Math.min(perMinute, level + ((now() - at) * perMinute) / 60_000)
      at = now()
      // A hair of a permit is lost to fractions of milliseconds.
      const allowed = level >= 0.999
      if (allowed) level = Math.max(0, level - 1)
      const fullAtMs = at + ((perMinute - level) * 60_000) / perMinute
      const waitSeconds = Math.max(1, Math.ceil(((1 - level) * 60) / perMinute))
      return {
        allowed,
        headers: {
          'x-ratelimit-limit': String(perMinute),
          'x-ratelimit-remaining': String(Math.floor(level + 0.001)),
          'x-ratelimit-reset': String(Math.ceil(fullAtMs / 1000)),
          ...(allowed ? {} : { 'retry-after': String(waitSeconds) }),
        },
      }
    },
  }
}
