import type { JsonObject } from '../../core/event.ts'
import { civilTime } from '../../core/zone.ts'
import { mix } from '../infisical/hash.ts'
import type { Release } from './release.ts'

/** A version 4 UUID that ends with a number, so that it can be found again without keeping any. */
export function numberedId(kind: number, number: number): string {
  const hex = (value: number, digits: number) =>
    (value >>> 0).toString(16).padStart(digits, '0').slice(-digits)
  const random = mix(number * 31 + kind)
  return `${hex(random, 8)}-${hex(kind, 4)}-4${hex(random >>> 7, 3)}-8${hex(random >>> 11, 3)}-${number.toString(16).padStart(12, '0')}`
}

/** The number that such an id ends with, if it is one. */
export function numberOf(kind: number, id: string): number | undefined {
  const number = Number.parseInt(id.slice(24), 16)
  return Number.isSafeInteger(number) && numberedId(kind, number) === id ? number : undefined
}

const [AUDIT_ID, ENTITY_ID, USER_ID, WORKFLOW_ID] = [0xa0d1, 0xe771, 0x05e2, 0x0f10] as const
export const KINDS = { audit: AUDIT_ID, entity: ENTITY_ID, user: USER_ID, workflow: WORKFLOW_ID } as const

export type User = {
  readonly id: string
  readonly identifier: string
  readonly display_name: string | null
  readonly email: string | null
  readonly provider: string
  readonly deactivated: boolean
}

const user = (
  number: number,
  identifier: string,
  name: string | null,
  provider: string,
  gone = false,
): User => ({
  id: numberedId(USER_ID, number),
  identifier,
  display_name: name,
  email: identifier.includes('@') ? identifier : null,
  provider,
  deactivated: gone,
})

export const USERS: readonly User[] = [
  user(1, 'dana@corp.example', 'Dana Ops', 'microsoft'),
  user(2, 'juno@corp.example', 'Juno Ferreira', 'microsoft'),
  user(3, 'octo-mira', 'Mira Olsen', 'github'),
  user(4, 'ex-employee@corp.example', 'Ex Employee', 'microsoft', true),
  user(5, 'ci-deployer', null, 'ik_service_account'),
  user(6, 'guest', 'Guest "quoted" ü', 'guest'),
]

const MIX: readonly (readonly [model: string, action: string])[] = [
  ['resource', 'create'],
  ['resource', 'update'],
  ['resource', 'approve'],
  ['resource', 'execute'],
  ['resource', 'execute'],
  ['resource', 'dryrun'],
  ['executor', 'execute'],
  ['source_code', 'sync'],
  ['source_code_version', 'sync'],
  ['template', 'edit'],
  ['workspace', 'enable'],
  ['integration', 'update'],
  ['secret', 'create'],
  ['user', 'login'],
  ['user', 'login'],
  ['permission', 'delete'],
  ['feature_flag', 'Set to $True'],
  ['storage', 'destroy'],
]
const NAMED = new Set([
  'resource',
  'executor',
  'source_code',
  'source_code_version',
  'template',
  'workspace',
  'integration',
  'secret',
  'storage',
  'user',
])
export const LOGGED_ACTIONS: ReadonlySet<string> = new Set([
  'sync',
  'dryrun',
  'dryrun_with_temp_state',
  'execute',
])

/** One audit entry, before a release has put it into words. */
export type Row = {
  readonly id: string
  readonly model: string
  readonly action: string
  readonly user: User
  readonly hasCreator: boolean
  readonly entityId: string
  readonly entityName: string | null
  /** Microseconds since 1970. */
  readonly timeUs: number
  readonly revision: number | null
  /** Of the workflow around it. */
  readonly workflow: string | null
  /** Kept to the byte, where it was appended as text. */
  readonly raw?: string
}

export type RowSet = { readonly size: number; timeUs(index: number): number; row(index: number): Row }

/** About ten entries a second, some of them written in one transaction, none of them kept. */
export function generatedRows(options: {
  readonly size: number
  readonly seed: number
  readonly fromUs: number
  readonly ties: number
}): RowSet {
  const { size, seed, fromUs, ties } = options
  const salt = mix(seed)
  const tieStart = Math.floor((size - ties) / 2)
  const plainUs = (index: number): number => {
    // Three rows of one transaction share its start.
    const third = Math.floor(index / 3)
    const first = mix(third ^ salt) % 4 === 0 ? third * 3 : index
    const isWhole = first % 10 === 0 && mix(first + salt) % 5 === 0
    return fromUs + first * 100_000 + (isWhole ? 0 : mix(first + salt) % 99_000)
  }
  const timeUs = (index: number): number =>
    ties > 0 && index >= tieStart && index < tieStart + ties ? plainUs(tieStart) : plainUs(index)
  return {
    size,
    timeUs,
    row(index) {
      const dice = mix(index ^ salt)
      const [model, action] = MIX[dice % MIX.length] ?? ['resource', 'create']
      const actor = USERS[(dice >>> 8) % USERS.length] as User
      const entity = (dice >>> 5) % 5000
      const isLogin = action === 'login'
      return {
        id: numberedId(AUDIT_ID, index),
        model,
        action,
        user: actor,
        hasCreator: dice % 97 !== 0,
        entityId: isLogin ? actor.id : numberedId(ENTITY_ID, entity),
        entityName:
          !NAMED.has(model) || dice % 13 === 0 ? null : isLogin ? actor.identifier : `${model}-${entity}`,
        timeUs: timeUs(index),
        revision: model === 'resource' ? 1 + (dice % 9) : null,
        workflow:
          LOGGED_ACTIONS.has(action) && dice % 2 === 0
            ? numberedId(WORKFLOW_ID, Math.floor(index / 20))
            : null,
      }
    },
  }
}

/** A database time as the release prints it: six digits, or none when they are all zero. */
export function timeText(timeUs: number, release: Release, zone: string | undefined): string {
  const ms = Math.floor(timeUs / 1000)
  const micros = timeUs % 1_000_000
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`
  if (release.zone !== '' || zone === undefined)
    return `${new Date(ms).toISOString().slice(0, 19)}${fraction}${release.zone}`
  const wall = civilTime(ms, zone)
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second)
  return `${new Date(asUtc).toISOString().slice(0, 19)}${fraction}`
}

/** A row from its JSON text: only what can be filtered by is looked at. */
export function rawRow(raw: string): Row {
  const entry = JSON.parse(raw) as Readonly<Record<string, unknown>>
  const text = (key: string): string => (typeof entry[key] === 'string' ? entry[key] : '')
  const ms = Date.parse(text('created_at').replace(/(\.\d{3})\d+/, '$1'))
  const micros = Number((/\.\d{3}(\d{1,3})/.exec(text('created_at'))?.[1] ?? '0').padEnd(3, '0'))
  return {
    id: text('id'),
    model: text('model'),
    action: text('action'),
    user: { ...(USERS[0] as User), id: text('user_id') },
    hasCreator: entry['creator'] !== null,
    entityId: text('entity_id'),
    entityName: null,
    timeUs: ms * 1000 + micros,
    revision: null,
    workflow: null,
    raw,
  }
}

/** The row as the REST releases answer it. */
export function nativeRow(row: Row, release: Release, zone: string | undefined): JsonObject {
  if (row.raw !== undefined) return JSON.parse(row.raw) as JsonObject
  const { id, identifier, deactivated, display_name, provider } = row.user
  return {
    id: row.id,
    model: row.model,
    user_id: id,
    action: row.action,
    entity_id: row.entityId,
    created_at: timeText(row.timeUs, release, zone),
    creator: row.hasCreator
      ? { id, identifier, deactivated, display_name, provider, _entity_name: 'user' }
      : null,
    ...(release.hasRevision ? { revision_number: row.revision } : {}),
  }
}
