import type { EventFilter } from '../../core/filter.ts'
import { hasPrefix } from './read-record.ts'
import { plainPath } from './shape.ts'

export type PushedFilter = { readonly param: string; readonly value: string; readonly filter: string }
export type Plan = {
  readonly pushed: readonly PushedFilter[]
  /** Checked here only, and why. */
  readonly local: readonly string[]
}

/** What the server takes; it may know more by now, and would refuse what it does not. */
const IDENTITY_TYPES = ['user', 'service_account', 'group']

/** Which filters the server is sent. One goes out only where what the server leaves out is not what was meant. */
export function planFilters({ fields, events, where }: EventFilter): Plan {
  const pushed: PushedFilter[] = []
  const local: string[] = []
  const push = (param: string, value: string, filter: string) => pushed.push({ param, value, filter })
  const types = [...new Set(events)]
  if (types.every((type) => /^[\w.-]+$/.test(type))) {
    if (types.length > 0) push('action', types.join(','), '--event')
  } else local.push('--event: not in the form of an action')

  const { actor, path, entity, outcome } = fields
  if (actor !== undefined) {
    if (hasPrefix(actor)) push('identity_id', actor, '--actor')
    else local.push('--actor: the server knows whole ids only, such as user:ana@example.com or sa:worker')
  }
  const type = fields['actor-type']
  if (type !== undefined) {
    if (IDENTITY_TYPES.includes(type)) push('identity_type', type, '--actor-type')
    else local.push('--actor-type: the server does not list this type')
  }
  if (path !== undefined) {
    const prefix = plainPath(path)
    if (prefix === '') local.push('--path: every path is meant')
    else push('path_prefix', prefix, '--path')
  }
  if (entity !== undefined)
    local.push('--entity: a secret or an identity, and the server cannot be asked for either')
  if (fields.ip !== undefined) push('source_ip', fields.ip, '--ip')
  if (fields['request-id'] !== undefined) push('request_id', fields['request-id'], '--request-id')
  if (outcome === 'success' || outcome === 'failure')
    push('success', String(outcome === 'success'), '--outcome')
  else if (outcome !== undefined) local.push('--outcome: the server knows success and failure')
  for (const name of ['key', 'model'] as const) {
    if (fields[name] !== undefined) local.push(`--${name}: the server has no such filter`)
  }
  for (const { path: at, operator, value } of where) local.push(`--where ${at.join('.')}${operator}${value}`)
  return { pushed, local }
}

/** The filters that go out with every request of one window. A server that refuses one is asked without it from then on. */
export class Pushdown {
  readonly plan: Plan
  readonly #refused = new Map<string, string>()

  constructor(plan: Plan) {
    this.plan = plan
  }

  params(): Readonly<Record<string, string>> {
    const kept = this.plan.pushed.filter(({ param }) => !this.#refused.has(param))
    return Object.fromEntries(kept.map(({ param, value }) => [param, value]))
  }

  /** False when the parameter is none of ours, or was refused before. */
  drop(param: string, reason: string): boolean {
    if (this.params()[param] === undefined) return false
    this.#refused.set(param, reason)
    return true
  }

  warnings(): readonly string[] {
    return [...this.#refused].map(([param, reason]) => {
      const name = this.plan.pushed.find((pushed) => pushed.param === param)?.filter ?? param
      return `the server refused the filter ${name} (${reason}); all events of the window were read and filtered here`
    })
  }
}
