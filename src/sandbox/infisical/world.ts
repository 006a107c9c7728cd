import { createHash } from 'node:crypto'
import type { Violation } from '../listen.ts'
import type { SandboxOptions } from '../service.ts'
import { type Auth, authOf } from './auth.ts'
import { checkFaults } from './fault-kinds.ts'
import { mix, uuidOf } from './hash.ts'
import { type Limiter, limiter } from './limiter.ts'
import { buildSet } from './modes.ts'
import { addBigEvent } from './plain-event.ts'
import { type Reply, replies } from './reply.ts'
import { extraOf, openStore, type Store } from './store.ts'

export const SERVICE = 'infisical'

/** What the routes of one emulator share. */
export type World = {
  readonly options: SandboxOptions
  readonly store: Store
  readonly auth: Auth
  readonly reply: Reply
  readonly limiter: Limiter
  readonly violations: Violation[]
  /** Requests so far, admin ones not counted. */
  request: number
  /** Until when the client was told to stay away, and since when. */
  quiet: { readonly from: number; readonly until: number } | undefined
  /** The number of a standing fault, or undefined when it is not in force. */
  mode(kind: string, fallback: number): number | undefined
  /** Whether a fault of that kind is in the plan at all: for those that form the data. */
  has(kind: string): boolean
  violate(rule: string, detail: string): void
  /** An event kept as these bytes. @throws SyntaxError when they are not JSON */
  addEvent(json: string, timeUs: number, own: boolean): void
  nextId(): string
  /** The events anew, after faults that change their form. */
  rebuild(): void
}

/** @throws UserError for a fault of an unknown kind */
export function createWorld(options: SandboxOptions): World {
  const { seed, faults, now } = options
  checkFaults(faults)
  const reply = replies(seed)
  const violations: Violation[] = []
  let ids = 0
  const mode = (kind: string, fallback: number): number | undefined => {
    const fault = faults.standing(SERVICE, kind, world.request)
    return fault === undefined ? undefined : fault.value === undefined ? fallback : Number(fault.value)
  }
  const violate = (rule: string, detail: string): void => {
    violations.push({ request: world.request, rule, detail })
  }
  const world: World = {
    options,
    store: openStore(buildSet(options), seed),
    auth: authOf({
      now,
      seed,
      reply,
      ttlSeconds: () => mode('token-ttl', 60) ?? 2_592_000,
      usesLimit: () => mode('uses-limit', 5) ?? 0,
      violate,
    }),
    reply,
    limiter: limiter(now),
    violations,
    request: 0,
    quiet: undefined,
    mode,
    has: (kind) => faults.list().some((fault) => fault.service === SERVICE && fault.kind === kind),
    violate,
    addEvent: (json, timeUs, own) => world.store.add(extraOf(Buffer.from(json), timeUs, own)),
    nextId: () => {
      ids += 1
      return uuidOf(mix(seed) + 99, ids)
    },
    rebuild: () => {
      world.store.replaceSet(buildSet(options))
      addBigEvent(world)
    },
  }
  addBigEvent(world)
  return world
}

/** Names a page by what it was made of: cheaper than hashing a megabyte, and as good for telling pages apart. */
export function pageTag(refs: readonly number[]): string {
  return createHash('sha1').update(Int32Array.from(refs)).digest('hex')
}
