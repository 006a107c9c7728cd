import type { Check } from '../../core/check.ts'
import { formatDuration } from '../../core/duration.ts'
import { UserError } from '../../core/errors.ts'
import { DAY_MS, isoTime, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import { type Environment, proxyFor } from '../../http/proxy.ts'
import type { Sighting } from './watch-http.ts'

const MAX_SKEW_MS = 5 * SECOND_MS
/** Further apart, tokens and signatures are refused. */
const BROKEN_SKEW_MS = 5 * MINUTE_MS
const SOON_MS = 14 * DAY_MS

/** Clocks, tokens, rate limits, encryption and proxies, by what was seen while everything else was checked. */
export function wireChecks(
  sightings: readonly Sighting[],
  { now, env }: { readonly now: number; readonly env: Environment },
): readonly Check[] {
  return sightings.flatMap((sighting) => [
    ...clock(sighting),
    ...tokens(sighting, now),
    ...rateLimit(sighting),
    ...encryption(sighting),
    ...proxy(sighting, env),
  ])
}

function clock({ service, skewMs }: Sighting): Check[] {
  if (skewMs === undefined) return []
  const check = `${service}: clock`
  // The Date header has whole seconds.
  const seconds = Math.round(Math.abs(skewMs) / SECOND_MS)
  if (Math.abs(skewMs) <= MAX_SKEW_MS)
    return [{ check, state: 'ok', message: `${seconds} s apart from ours` }]
  return [
    {
      check,
      state: Math.abs(skewMs) > BROKEN_SKEW_MS ? 'failure' : 'warning',
      message: `its clock is ${formatDuration(seconds * SECOND_MS)} ${skewMs > 0 ? 'ahead of' : 'behind'} ours`,
      hint: 'windows that end now may miss events, and tokens may be refused: set both clocks by NTP, or use a longer --settle',
    },
  ]
}

function tokens({ service, hasLoggedIn, tokenEnds }: Sighting, now: number): Check[] {
  return [...tokenEnds].map((endsAt): Check => {
    const check = `${service}: token`
    if (endsAt === undefined) {
      return hasLoggedIn
        ? { check, state: 'ok', message: 'each run logs in anew' }
        : { check, state: 'ok', message: 'accepted as it is; it does not tell when it ends' }
    }
    const leftMs = endsAt - now
    const left = leftMs < 2 * DAY_MS ? formatDuration(floor(leftMs)) : `${Math.floor(leftMs / DAY_MS)} days`
    const message = `ends in ${left}, at ${isoTime(endsAt)}`
    if (hasLoggedIn) return { check, state: 'ok', message: `each run logs in anew; this token ${message}` }
    if (leftMs <= 0) {
      const hint = 'make a new token and put it where the configuration reads it from'
      return { check, state: 'failure', message: `ended at ${isoTime(endsAt)}`, hint }
    }
    if (leftMs > SOON_MS) return { check, state: 'ok', message }
    return {
      check,
      state: 'warning',
      message,
      hint: 'renew it in time, or configure credentials that log in by themselves',
    }
  })
}

function floor(ms: number): number {
  return Math.max(0, Math.floor(ms / MINUTE_MS) * MINUTE_MS)
}

function rateLimit({ service, limit, remaining, throttled }: Sighting): Check[] {
  const check = `${service}: rate limit`
  const left = remaining === undefined ? '' : `${remaining} left`
  const said = limit === undefined ? left : `${limit} requests in a window${left === '' ? '' : `, ${left}`}`
  if (throttled > 0 || (remaining !== undefined && remaining < Math.max(2, (limit ?? 0) / 10))) {
    return [
      {
        check,
        state: 'warning',
        message: [throttled > 0 ? `refused ${throttled} requests for now` : '', said]
          .filter((part) => part !== '')
          .join('; '),
        hint: 'others use the same limit: set rate for this entry, a lower --concurrency, or run at another time',
      },
    ]
  }
  return said === '' ? [] : [{ check, state: 'ok', message: said }]
}

function encryption({ service, origin, isPrivate, isVerified }: Sighting): Check[] {
  const check = `${service}: encryption`
  if (!isPrivate) {
    const hint = 'use https, unless the network in between is yours alone'
    return [{ check, state: 'warning', message: `${origin} is spoken to in the clear`, hint }]
  }
  if (isVerified) return []
  const message = `the certificate of ${origin} is not verified (tls.insecureSkipVerify)`
  return [{ check, state: 'warning', message, hint: 'name the certificate authority in tls.caFile instead' }]
}

function proxy({ service, origin }: Sighting, env: Environment): Check[] {
  if (origin === '') return []
  const check = `${service}: proxy`
  try {
    const used = proxyFor(new URL(origin), env)
    if (used === undefined) return []
    return [{ check, state: 'ok', message: `${origin} is reached through ${used.protocol}//${used.host}` }]
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const hint = error.hint ?? 'correct the variable, or unset it'
    return [{ check, state: 'failure', message: error.message, hint }]
  }
}
