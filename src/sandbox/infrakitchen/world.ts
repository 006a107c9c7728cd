import { HOUR_MS } from '../../core/time-range.ts'
import { checkKinds, type FaultPlan } from '../faults.ts'
import type { Violation } from '../listen.ts'
import type { SandboxOptions } from '../service.ts'
import { type Auth, authOf } from './auth.ts'
import { type Release, releaseOf, SERVICE } from './release.ts'
import { generatedRows } from './rows.ts'
import { openStore, type Store } from './store.ts'

/** What `--fault infrakitchen:KIND` can do. */
export const FAULTS: Readonly<Record<string, string>> = {
  'error-500': 'Internal server error',
  reset: 'the connection ends without an answer',
  html: 'a page of HTML with status 200',
  truncate: 'half of the page as a complete answer',
  'rate-limit': '429 of a proxy; =SECONDS to wait (1)',
  forbidden: 'no permission, in the words of the generation',
  internal: 'a GraphQL error INTERNAL inside a 200',
  'token-expire': 'every token given out so far has expired',
  vanish: 'the oldest =COUNT entries go (500)',
  slow: 'latency of an answer; =MS (100)',
  cap: 'no answer has more than =ROWS rows (100)',
  'token-ttl': 'tokens live =SECONDS (60)',
  'no-content-range': 'REST answers without a total',
  start: 'the first entry is written at =TIME',
  version: '=RELEASE, from 0.1.0 to 0.5.0',
  ties: '=SIZE entries on one microsecond (3000)',
  zone: '=ZONE of the database session, seen up to 0.3.1',
  'no-target-names': 'GraphQL without entityData',
}

const DEFAULT_EVENTS = 2000
const FIXED_START_MS = Date.UTC(2026, 10, 1)
const SPACING_MS = 100

/** What the routes of one emulator share. */
export type World = {
  readonly options: SandboxOptions
  readonly release: Release
  readonly zone: string | undefined
  readonly store: Store
  readonly auth: Auth
  readonly violations: Violation[]
  request: number
  /** One-row answers so far: what binary searches cost. */
  probes: number
  /** The number of a standing fault, or undefined when it is not in force. */
  mode(kind: string, fallback: number): number | undefined
  take(kind: string): string | undefined
  violate(rule: string, detail: string): void
}

/** @throws UserError for a fault of an unknown kind */
export function createWorld(options: SandboxOptions): World {
  const { faults, seed, now } = options
  checkFaults(faults)
  const release = releaseOf(options)
  const faultValue = (kind: string) =>
    faults.list().find((one) => one.service === SERVICE && one.kind === kind)?.value
  const has = (kind: string) => faults.list().some((one) => one.service === SERVICE && one.kind === kind)
  const size = options.events ?? DEFAULT_EVENTS
  const start = faultValue('start')
  const fixedMs = start === undefined ? FIXED_START_MS : Date.parse(start)
  const fromMs = options.recent ? now() - HOUR_MS - size * SPACING_MS : fixedMs
  const rows = generatedRows({
    size,
    seed,
    fromUs: Math.floor(fromMs / 1000) * 1_000_000,
    ties: has('ties') ? Math.min(size, Number(faultValue('ties') ?? 3000)) : 0,
  })
  const violations: Violation[] = []
  const violate = (rule: string, detail: string): void => {
    violations.push({ request: world.request, rule, detail })
  }
  const mode = (kind: string, fallback: number): number | undefined => {
    const fault = faults.standing(SERVICE, kind, world.request)
    return fault === undefined ? undefined : fault.value === undefined ? fallback : Number(fault.value)
  }
  const world: World = {
    options,
    release,
    zone: faultValue('zone'),
    store: openStore(rows, seed, release),
    auth: authOf({ now, release, ttlSeconds: () => mode('token-ttl', 60), violate }),
    violations,
    request: 0,
    probes: 0,
    mode,
    take(kind) {
      const fault = faults.take(SERVICE, kind, world.request)
      return fault === undefined ? undefined : (fault.value ?? '')
    },
    violate,
  }
  return world
}

export const checkFaults = (plan: FaultPlan): void => checkKinds(plan, SERVICE, Object.keys(FAULTS))
