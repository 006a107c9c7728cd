import type { JsonObject } from '../../core/event.ts'
import type { EventFilter } from '../../core/filter.ts'
import { isUuid } from './read-record.ts'

export type Plan = {
  /** The `filter` parameter; the same object in both generations. */
  readonly filter: JsonObject
  readonly pushed: readonly string[]
  readonly local: readonly string[]
  /** Whether something is asked for by a name that only newer releases tell. */
  readonly needsNames: boolean
}

/**
 * Which filters the server is sent: plain equality of columns, which every release knows. A text that is no UUID in a column of ids makes
 * the database fail, so it is never sent.
 */
export function planFilters({ fields, events, where }: EventFilter): Plan {
  const filter: Record<string, unknown> = {}
  const pushed: string[] = []
  const local: string[] = []
  const push = (name: string, key: string, value: unknown): void => {
    filter[key] = value
    pushed.push(`${name} as ${key}=${JSON.stringify(value)}`)
  }
  // A list under plain equality means "one of": `__in` is younger.
  const types = [...new Set(events)]
  if (types.length > 0) push('--event', 'action', types.length === 1 ? types[0] : types)
  if (fields.model !== undefined) push('--model', 'model', fields.model)
  const ids = [
    [
      'actor',
      'user_id',
      '--actor: the server is sent ids only, since a name may stand in one of several fields',
    ],
    ['entity', 'entity_id', '--entity: a name, and the server knows ids only'],
    ['request-id', 'id', '--request-id: not in the form of an id'],
  ] as const
  for (const [name, key, reason] of ids) {
    const value = fields[name]
    if (value === undefined) continue
    if (isUuid(value)) push(`--${name}`, key, value.toLowerCase())
    else local.push(reason)
  }
  if (fields['actor-type'] !== undefined) local.push('--actor-type: told from the provider of the actor')
  for (const { path, operator, value } of where) local.push(`--where ${path.join('.')}${operator}${value}`)
  return { filter, pushed, local, needsNames: fields.entity !== undefined && !isUuid(fields.entity) }
}
