import { type EventFilter, isUnderPath } from '../../core/filter.ts'
import { ACTOR_TYPES, aliases, SECRET_TYPES, USER_AGENT_TYPES } from './vocabulary.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Metadata keys whose values are always plain strings: the server compares text with text and would pass over anything else. */
const TEXT_KEYS = [
  'environment',
  'secretPath',
  'secretKey',
  'secretId',
  'identityId',
  'clientSecretId',
  'folderId',
  'folderName',
  'folderPath',
  'slug',
]

export type PushedFilter = { readonly param: string; readonly value: string; readonly filter: string }

export type Plan = { readonly pushed: readonly PushedFilter[]; readonly local: readonly string[] }

/**
 * Which filters the server is sent, and why the others are not. A filter goes out only where every release applies it, or ignores it: one
 * that a release narrows beyond what was meant would lose events, and no later check could bring them back.
 */
export function planFilters(filter: EventFilter, store: 'postgres' | 'clickhouse' | undefined): Plan {
  const pushed: PushedFilter[] = []
  const local: string[] = []
  const metadata: string[] = []
  const { fields, events } = filter
  const push = (param: string, value: string, name: string) => pushed.push({ param, value, filter: name })

  const types = [...new Set(events.flatMap(aliases))]
  if (types.length > 0 && types.every((type) => /^[\w-]+$/.test(type)) && types.length <= 100) {
    push('eventType', types.join(','), '--event')
  } else if (types.length > 0) local.push('--event: not in the form of an event type')

  const actorType = fields['actor-type']
  const isKnownActor = actorType !== undefined && ACTOR_TYPES.includes(actorType)
  if (isKnownActor) push('actorType', actorType, '--actor-type')
  else if (actorType !== undefined) local.push('--actor-type: not every release knows it and would refuse it')

  const { actor, project, environment, key } = fields
  if (actor !== undefined) {
    // Releases differ in which id they compare, but for users it has always been the user's.
    if (actorType === 'user' && UUID.test(actor)) push('actor', actor, '--actor')
    else
      local.push(
        '--actor: the server compares ids of one kind of actor only; add --actor-type user to ask it',
      )
  }
  if (project !== undefined) {
    if (UUID.test(project)) push('projectId', project.toLowerCase(), '--project')
    else local.push('--project: the server knows ids only')
  }
  const isSecretFiltered =
    project !== undefined &&
    UUID.test(project) &&
    (types.length === 0 || types.some((type) => SECRET_TYPES.includes(type)))
  if (environment !== undefined) {
    if (isSecretFiltered) push('environment', environment, '--environment')
    else if (isPairValue(environment)) metadata.push(`environment=${environment}`)
    else local.push('--environment: the server cannot be asked for this value')
  }
  if (key !== undefined) {
    if (isSecretFiltered && store !== 'clickhouse') push('secretKey', key, '--key')
    else
      local.push('--key: the server would ignore it without a project and an event type of a single secret')
  }
  if (fields.path !== undefined) {
    // An exact match would lose what lies below.
    local.push(
      isUnderPath('/', fields.path)
        ? '--path: every path is meant'
        : '--path: a prefix, and the server matches whole paths only',
    )
  }
  const agent = fields['user-agent-type']
  if (agent !== undefined) {
    if (USER_AGENT_TYPES.includes(agent)) push('userAgentType', agent, '--user-agent-type')
    else local.push('--user-agent-type: not every release knows it and would refuse it')
  }
  for (const name of ['entity', 'ip'] as const) {
    if (fields[name] !== undefined) local.push(`--${name}: the server has no such filter`)
  }
  for (const { path, operator, value } of filter.where) {
    const [first, second, last] = path
    const isPair =
      operator === '=' &&
      path.length === 3 &&
      first === 'event' &&
      second === 'metadata' &&
      isPairValue(value)
    if (isPair && last !== undefined && TEXT_KEYS.includes(last)) metadata.push(`${last}=${value}`)
    else local.push(`--where ${path.join('.')}${operator}${value}`)
  }
  if (metadata.length > 0) push('eventMetadata', metadata.join(','), metadata.join(' and '))
  return { pushed, local }
}

/** Pairs are split at commas and, by older servers, at every `=`; a text that is also JSON could be stored as something else. */
function isPairValue(value: string): boolean {
  return value.trim() === value && value !== '' && !/[,=]/.test(value) && !isJson(value)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The filters that go out with every request of one window. A server that refuses one is asked without it from then on. */
export class Pushdown {
  readonly plan: Plan
  readonly #refused = new Map<string, string>()
  #params: Readonly<Record<string, string>> | undefined

  constructor(plan: Plan) {
    this.plan = plan
  }

  params(): Readonly<Record<string, string>> {
    this.#params ??= Object.fromEntries(
      this.plan.pushed
        .filter(({ param }) => !this.#refused.has(param))
        .map(({ param, value }) => [param, value]),
    )
    return this.#params
  }

  /** False when the parameter is none of ours, or was refused before. */
  drop(param: string, reason: string): boolean {
    if (this.params()[param] === undefined) return false
    this.#refused.set(param, reason)
    this.#params = undefined
    return true
  }

  warnings(): readonly string[] {
    return [...this.#refused].map(([param, reason]) => {
      const name = this.plan.pushed.find((pushed) => pushed.param === param)?.filter ?? param
      return `the server refused the filter ${name} (${reason}); all events of the window were read and filtered here`
    })
  }
}
