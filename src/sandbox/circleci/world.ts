import type { JsonObject } from '../../core/event.ts'

const HOUR_MS = 3_600_000
/** Of the last event, unless it is moved to the present. */
const END_MS = Date.UTC(2026, 10, 20, 12)

const ACTIONS = [
  'context.secrets.accessed',
  'workflow.job.start',
  'workflow.job.finish',
  'project.env_var.create',
  'checkout-key.create',
  'context.env_var.store',
  'project.settings.update',
  'user.logged_in',
] as const
const PEOPLE = ['mona', 'dana', 'Jürgen "J" Groß', '=cmd()', 'renovate[bot]'] as const
const PROJECTS = ['api', 'web', 'infra'] as const

export type WorldOptions = {
  readonly events: number
  readonly seed: number
  readonly recent: boolean
  readonly now: () => number
  /** Between two events. */
  readonly stepMs?: number
}

/** CircleCI's audit events of an organization, oldest first; the same for the same seed. */
export function circleEvents({ events, seed, recent, now, ...options }: WorldOptions): JsonObject[] {
  const random = dice(seed)
  const end = recent ? Math.floor(now() / 1000) * 1000 - 2 * HOUR_MS : END_MS
  // About two hundred events an hour, at least a day's worth of hours.
  const stepMs =
    options.stepMs ?? Math.max(1, Math.floor(Math.min(18_000, (24 * HOUR_MS) / Math.max(1, events))))
  return Array.from({ length: events }, (_, n) =>
    circleEvent(n, end - (events - 1 - n) * stepMs, seed, random),
  )
}

function circleEvent(number: number, atMs: number, seed: number, random: () => number): JsonObject {
  const pick = <Value>(list: readonly Value[]): Value => list[Math.floor(random() * list.length)] as Value
  const action = pick(ACTIONS)
  const person = pick(PEOPLE)
  const project = pick(PROJECTS)
  const success = random() > 0.03
  const ip = `203.0.113.${1 + Math.floor(random() * 250)}`
  const occurredAt = new Date(atMs)
    .toISOString()
    .replace('Z', `${String(Math.floor(random() * 1e6)).padStart(6, '0')}Z`)
  const organization = { id: uuid(seed, 1), type: 'organization', name: 'acme' }
  const isContext = action.startsWith('context.')
  const isRequest = random() > 0.4
  return {
    id: uuid(seed, 1000 + number),
    version: 1,
    action,
    occurred_at: occurredAt,
    success,
    actor:
      person === 'renovate[bot]'
        ? { id: uuid(seed, 9), type: 'system' }
        : { id: uuid(seed, 10 + PEOPLE.indexOf(person)), type: 'user', name: `github: ${person}` },
    target: isContext
      ? { id: uuid(seed, 50), type: 'context', name: 'aws-prod' }
      : { id: uuid(seed, 60 + PROJECTS.indexOf(project)), type: 'project', name: project },
    scope: organization,
    organization,
    account: { id: uuid(seed, 2), type: 'account', name: 'acme' },
    payload: isContext
      ? {
          context_id: uuid(seed, 50),
          context_name: 'aws-prod',
          environment_variable_titles: ['AWS_ROLE_ARN'],
        }
      : {},
    metadata: {},
    ...(isRequest ? { request: { id: uuid(seed, 500_000 + number), ip_address: ip } } : {}),
    common_fields: {
      outcome: success ? 'success' : 'failure',
      ...(isRequest ? { source_ip: ip } : {}),
      status: 'info',
      timestamp: occurredAt,
    },
  }
}

function uuid(seed: number, number: number): string {
  return `${(seed >>> 0).toString(16).padStart(8, '0')}-c1c1-4c1c-8c1c-${number.toString(16).padStart(12, '0')}`
}

/** mulberry32 */
function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
