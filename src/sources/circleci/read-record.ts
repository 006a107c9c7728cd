import type { JsonObject } from '../../core/event.ts'
import type { CommonEvent } from '../../core/source.ts'

type Named = { readonly id: string | null; readonly type: string | null; readonly name: string | null }

const NOTHING: JsonObject = {}

/** The documented order of the fields. */
export const FIELDS: readonly string[] = [
  'id',
  'version',
  'action',
  'occurred_at',
  'success',
  'actor',
  'target',
  'scope',
  'organization',
  'account',
  'payload',
  'metadata',
  'request',
  'common_fields',
]

/** The object under a key; a CSV cell that held one as JSON text has become one before. */
export function partOf(record: JsonObject, key: string): JsonObject {
  const value = record[key]
  return value !== null && typeof value === 'object' ? (value as JsonObject) : NOTHING
}

export function textAt(record: JsonObject, key: string): string | null {
  const value = record[key]
  return typeof value === 'string' && value !== '' ? value : null
}

export function namedAt(record: JsonObject, key: string): Named {
  const part = partOf(record, key)
  return { id: textAt(part, 'id'), type: textAt(part, 'type'), name: textAt(part, 'name') }
}

/** Without the VCS that some names begin with: `github: mona`. @source Google SecOps, parser for CircleCI, change log */
export function cleanName(name: string | null): string | null {
  return name === null ? null : name.replace(/^[a-z][a-z0-9_-]*: /i, '')
}

/** `true`, `TRUE` and `"true"` are all met: a CSV has texts only. */
export function outcomeOf(record: JsonObject): 'success' | 'failure' | null {
  const text = String(record['success']).toLowerCase()
  if (text === 'true') return 'success'
  if (text === 'false') return 'failure'
  const outcome = textAt(partOf(record, 'common_fields'), 'outcome')
  return outcome === 'success' || outcome === 'failure' ? outcome : null
}

export function actionOf(record: JsonObject): string {
  return textAt(record, 'action') ?? ''
}

export function ipOf(record: JsonObject): string | null {
  return (
    textAt(partOf(record, 'request'), 'ip_address') ?? textAt(partOf(record, 'common_fields'), 'source_ip')
  )
}

/** Titles of the environment variables that a job read, as a list or joined by commas: which is not documented. */
export function variableTitles(record: JsonObject): readonly string[] {
  const payload = partOf(record, 'payload')
  const titles = payload['environment_variable_titles'] ?? payload['environment_variable_title']
  if (Array.isArray(titles)) return titles.map(String)
  return typeof titles === 'string' ? titles.split(',').map((title) => title.trim()) : []
}

/** Id and name of the project, wherever the event tells it. */
export function projectOf(record: JsonObject): { readonly id: string | null; readonly name: string | null } {
  const target = namedAt(record, 'target')
  if (target.type === 'project') return target
  const payload = partOf(record, 'payload')
  const id = ['project_id', 'project-id', 'projectId']
    .map((key) => textAt(payload, key))
    .find((text) => text !== null)
  const name = ['project_name', 'project_slug', 'project-slug']
    .map((key) => textAt(payload, key))
    .find((text) => text !== null)
  return { id: id ?? null, name: name ?? null }
}

function organizationOf(record: JsonObject): Named {
  const organization = namedAt(record, 'organization')
  if (organization.id !== null || organization.name !== null) return organization
  const scope = namedAt(record, 'scope')
  return scope.type === 'organization' || scope.type === 'org' ? scope : namedAt(record, 'account')
}

/** Every id and name of a thing that the event speaks of. */
export function speaksOf(record: JsonObject, text: string): boolean {
  const named = ['target', 'scope', 'organization', 'account', 'actor'].some((key) => {
    const { id, name } = namedAt(record, key)
    return id === text || name === text
  })
  return named || mentions(record['payload'], text)
}

function mentions(value: unknown, text: string): boolean {
  if (value === text) return true
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some((inner) => mentions(inner, text))
}

export function toCommon(record: JsonObject): CommonEvent {
  const actor = namedAt(record, 'actor')
  const target = namedAt(record, 'target')
  const organization = organizationOf(record)
  const project = projectOf(record)
  return {
    id: textAt(record, 'id') ?? '',
    time: textAt(record, 'occurred_at') ?? textAt(partOf(record, 'common_fields'), 'timestamp') ?? '',
    actor: { type: actor.type, id: actor.id, name: cleanName(actor.name), email: null },
    action: actionOf(record),
    target: { type: target.type, id: target.id, name: target.name },
    outcome: outcomeOf(record),
    ip: ipOf(record),
    userAgent: null,
    requestId:
      textAt(partOf(record, 'request'), 'id') ?? textAt(partOf(record, 'request'), 'client_trace_id'),
    organization: organization.id ?? organization.name,
    project: project.id ?? project.name,
    source: 'circleci',
  }
}
