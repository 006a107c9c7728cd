import { HOUR_MS } from '../../core/time-range.ts'
import { checkKinds, type FaultPlan } from '../faults.ts'
import type { Violation } from '../listen.ts'
import type { SandboxOptions } from '../service.ts'
import { type Bucket, bucketOf } from './bucket.ts'
import { type EntrySet, generatedEntries } from './entries.ts'
import { openStore, type Store } from './store.ts'

export const SERVICE = 'scaivault'

/** What `--fault scaivault:KIND` can do. */
export const FAULTS: Readonly<Record<string, string>> = {
  'error-500': 'internal_error',
  unavailable: '503 service_unavailable',
  reset: 'the connection ends without an answer',
  html: 'a page of HTML with status 200',
  truncate: 'half of the page as a complete answer',
  'rate-limit': '429 rate_limited; =SECONDS to wait (1)',
  forbidden: '403 insufficient_scope',
  'token-expire': 'every token given out so far has expired',
  'cursor-expire': 'every cursor given out so far has expired',
  slow: 'latency of an answer; =MS (100)',
  'cursor-ttl': 'cursors live =SECONDS (60)',
  'token-ttl': 'tokens live =SECONDS (60)',
  loop: 'the cursor of a page leads to the same page again',
  'lost-cursor': 'there is more, and no cursor',
  'no-trails': '404 for trails and the summary',
  'refuse-param': '422 naming =PARAMETER (path_prefix)',
  'export-fails': 'jobs end as failed',
  shape: 'other names for everything: =VARIANT (items, events, bare, nested)',
  order: '=asc: oldest first',
  bounds: '=open-closed: `from` is left out and `to` is inside',
  limit: 'audit queries a minute (50)',
  jitter: 'entries are dated up to =MS before their turn (2000)',
  ties: '=SIZE entries on one microsecond (3000)',
  start: 'the first entry is written at =TIME',
}

const DEFAULT_EVENTS = 2000
const FIXED_START_MS = Date.UTC(2026, 10, 1)
const SPACING_MS = 100

export type World = {
  readonly options: SandboxOptions
  readonly set: EntrySet
  readonly store: Store
  readonly buckets: Readonly<Record<'queries' | 'exports' | 'whoami', Bucket>>
  readonly violations: Violation[]
  request: number
  /** Of audit queries, in the clock's milliseconds. */
  readonly queriesAt: number[]
  logins: number
  /** The value of a standing fault, or undefined when it is not in force. */
  mode(kind: string, fallback: string): string | undefined
  take(kind: string): string | undefined
  violate(rule: string, detail: string): void
}

/** @throws UserError for a fault of an unknown kind */
export function createWorld(options: SandboxOptions): World {
  const { faults, seed, now } = options
  checkFaults(faults)
  const form = (kind: string, fallback: string): string | undefined => {
    const fault = faults.list().find((one) => one.service === SERVICE && one.kind === kind)
    return fault === undefined ? undefined : (fault.value ?? fallback)
  }
  const size = options.events ?? DEFAULT_EVENTS
  const start = form('start', '')
  const fixedMs = start === undefined ? FIXED_START_MS : Date.parse(start)
  const fromMs = options.recent ? now() - HOUR_MS - size * SPACING_MS : fixedMs
  const jitterUs = Number(form('jitter', '2000') ?? 0) * 1000
  const set = generatedEntries({
    size,
    seed,
    fromUs: fromMs * 1000,
    ties: Math.min(size, Number(form('ties', '3000') ?? 0)),
    jitterUs,
  })
  const violations: Violation[] = []
  const world: World = {
    options,
    set,
    store: openStore(set, jitterUs),
    buckets: {
      queries: bucketOf(Number(form('limit', '50') ?? 50), now),
      exports: bucketOf(5, now),
      whoami: bucketOf(300, now),
    },
    violations,
    request: 0,
    queriesAt: [],
    logins: 0,
    mode(kind, fallback) {
      const fault = faults.standing(SERVICE, kind, world.request)
      return fault === undefined ? undefined : (fault.value ?? fallback)
    },
    take(kind) {
      const fault = faults.take(SERVICE, kind, world.request)
      return fault === undefined ? undefined : (fault.value ?? '')
    },
    violate: (rule, detail) => {
      violations.push({ request: world.request, rule, detail })
    },
  }
  return world
}

export const checkFaults = (plan: FaultPlan): void => checkKinds(plan, SERVICE, Object.keys(FAULTS))
