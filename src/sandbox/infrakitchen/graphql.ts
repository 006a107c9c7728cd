import type { JsonObject } from '../../core/event.ts'
import type { Exchange } from '../listen.ts'
import type { Auth, Caller, Refusal } from './auth.ts'
import { selectLines } from './exec-logs.ts'
import { ApiError } from './filter.ts'
import { type Field, parseDocument } from './graphql-parse.ts'
import { judged } from './rest.ts'
import { nativeRow, type Row } from './rows.ts'
import type { World } from './world.ts'

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Fields of each type that may be asked for. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  AuditLogType: [
    'id',
    'model',
    'userId',
    'action',
    'entityId',
    'revisionNumber',
    'createdAt',
    'creator',
    'entityData',
  ],
  UserType: [
    'id',
    'identifier',
    'email',
    'firstName',
    'lastName',
    'displayName',
    'provider',
    'deactivated',
    'isPrimary',
    'entityName',
  ],
  LogType: [
    'id',
    'entityId',
    'entity',
    'revision',
    'auditLogId',
    'level',
    'data',
    'createdAt',
    'executionStart',
    'expireAt',
    'traceId',
  ],
  ServiceAccountTokenType: ['token', 'expiresAt'],
}

class GraphqlFailure extends Error {
  override readonly name = 'GraphqlFailure'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** POST /api/graphql: whatever goes wrong inside is an error in a 200. */
export function serveGraphql(world: World, exchange: Exchange, caller: Caller | Refusal) {
  let body: { query?: unknown; variables?: Readonly<Record<string, unknown>> | null }
  try {
    body = JSON.parse(exchange.body.toString('utf8'))
  } catch {
    return exchange.reply(400, 'Unable to parse request body as JSON')
  }
  if (typeof body.query !== 'string') return exchange.reply(400, 'No GraphQL query found in the request')
  try {
    if (world.take('internal') !== undefined)
      throw new GraphqlFailure('INTERNAL', 'connection to the database was lost')
    const { fields } = parseDocument(body.query, body.variables ?? {})
    const data: Record<string, unknown> = {}
    for (const field of fields) data[field.alias] = resolve(world, field, caller)
    const text = JSON.stringify({ data })
    const shown = world.take('truncate') === undefined ? text : text.slice(0, text.length / 2)
    exchange.reply(200, shown, { 'content-type': 'application/json' })
  } catch (error) {
    const { code, message } = failureOf(error)
    exchange.reply(200, {
      data: null,
      errors: [
        {
          message: message.replace(/\s+/g, ' ').slice(0, 300),
          locations: [{ line: 1, column: 1 }],
          extensions: { code },
        },
      ],
    })
  }
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof GraphqlFailure) return error
  if (error instanceof ApiError)
    return { code: error.status === 400 ? 'VALIDATION' : 'INTERNAL', message: error.message }
  if (error instanceof SyntaxError) return { code: 'INTERNAL', message: error.message }
  throw error
}

function resolve(world: World, field: Field, caller: Caller | Refusal): unknown {
  if (field.name === 'serviceAccountToken') return tokenOf(world.auth, field)
  const known = ['auditLogs', 'auditLogsCount', 'auditLog', 'auditLogActions', 'logs', 'logsCount']
  if (!known.includes(field.name) || world.release.graphql !== 'full') {
    throw new GraphqlFailure('INTERNAL', `Cannot query field '${field.name}' on type 'Query'.`)
  }
  const isLog = field.name.startsWith('logs')
  const type = isLog ? 'LogType' : 'AuditLogType'
  const missing = world.options.faults.list().some(({ kind }) => kind === 'no-target-names')
    ? 'entityData'
    : ''
  checkFields(field.fields, type, missing)
  if ('kind' in caller) throw new GraphqlFailure('ACCESS_DENIED', 'Not authenticated. Provide a valid token.')
  if (caller.isDeactivated) throw new GraphqlFailure('UNAUTHORIZED', 'Not authenticated.')
  if (!caller.mayRead || world.take('forbidden') !== undefined) {
    const object = isLog ? 'log' : 'audit_log'
    throw new GraphqlFailure('ACCESS_DENIED', `Access denied. You do not have permission to read ${object}.`)
  }
  const { args } = field
  if (field.name === 'auditLogActions') return world.store.actions
  if (field.name === 'auditLog') {
    const row = world.store.find(String(args['id']))
    return row === undefined ? null : pick(entryOf(world, row), field.fields)
  }
  const isCount = field.name.endsWith('Count')
  const asked = isCount
    ? judged(world, args['filter'], ['created_at', 'ASC'], [0, 1])
    : judged(world, args['filter'], args['sort'], args['range'])
  const [start, end] = asked.range
  if (isLog) {
    const { lines, total } = selectLines(world.store, asked.filter, asked.range, world.release)
    return isCount ? total : lines.map((line) => pick(camelCased(line), field.fields))
  }
  const cap = world.mode('cap', 100) ?? Number.POSITIVE_INFINITY
  const { refs, total } = world.store.select({ ...asked, start, end: Math.min(end, start + cap) })
  if (isCount) return total
  if (end - start === 1) world.probes += 1
  return refs.map((ref) => pick(entryOf(world, world.store.row(ref)), field.fields))
}

function entryOf(world: World, row: Row): JsonObject {
  const { creator, ...native } = nativeRow(row, world.release, world.zone)
  const { email } = row.user
  const entityData =
    row.entityName === null ? null : { id: row.entityId, name: row.entityName, entityName: row.model }
  return {
    ...camelCased(native),
    creator: creator === null ? null : { ...camelCased(creator as JsonObject), email, entityName: 'user' },
    entityData,
  }
}

function checkFields(fields: readonly Field[], type: string, missing: string): void {
  for (const { name, fields: inner } of fields) {
    if (!TYPES[type]?.includes(name) || name === missing) {
      throw new GraphqlFailure('INTERNAL', `Cannot query field '${name}' on type '${type}'.`)
    }
    if (name === 'creator') checkFields(inner, 'UserType', missing)
  }
}

function pick(value: JsonObject, fields: readonly Field[]): JsonObject {
  return Object.fromEntries(
    fields.map(({ name, alias, fields: inner }) => {
      const found = value[name] ?? null
      return [alias, inner.length > 0 && found !== null ? pick(found as JsonObject, inner) : found]
    }),
  )
}

function camelCased(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camel(key), inner]))
}

function tokenOf(auth: Auth, { args, fields }: Field): JsonObject {
  checkFields(fields, 'ServiceAccountTokenType', '')
  const granted = auth.exchangeToken(args['identifier'], args['password'])
  if (granted === undefined) throw new GraphqlFailure('CREDENTIALS_ERROR', 'Invalid password or username')
  return pick(granted, fields)
}
