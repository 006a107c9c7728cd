import type { NativeEvent, Test } from './event-set.ts'
import type { ListQuery } from './query.ts'

/** Where an actor's id stands, by its type. Types without a line cannot be asked for by id. */
const ACTOR_ID_KEY: Readonly<Record<string, string>> = {
  user: 'userId',
  identity: 'identityId',
  service: 'serviceId',
  kmipClient: 'clientId',
  acmeProfile: 'profileId',
  estAccount: 'profileId',
  scepAccount: 'profileId',
  acmeAccount: 'accountId',
}

/** The only event types that make the server look at environment, path and key. `get-secrets` is not one of them. */
const SECRET_TYPES: ReadonlySet<string> = new Set([
  'get-secret',
  'create-secret',
  'create-secrets',
  'update-secret',
  'update-secrets',
  'delete-secret',
  'delete-secrets',
])

export type Filter = {
  readonly test: Test | undefined
  readonly variable: boolean
  /** Nothing can match: the store is not even asked. */
  readonly empty: boolean
}

export type FilterDialect = {
  readonly generation: '2025' | '2026'
  readonly clickhouse: boolean
  classOf(type: string): string
}

/** What the server really applies of the filters, silent omissions included; or the message of its 400. */
export function filterOf({ text }: ListQuery, dialect: FilterDialect): Filter | { readonly refusal: string } {
  const tests: Test[] = []
  let variable = false
  const equal = (name: string, read: (event: NativeEvent) => unknown): void => {
    const wanted = text.get(name)
    if (wanted !== undefined) tests.push((event) => read(event) === wanted)
  }
  equal('projectId', (event) => event.projectId)
  equal('actorType', (event) => event.actor.type)
  equal('userAgentType', (event) => event.userAgentType)

  const actor = text.get('actor')
  if (actor !== undefined) {
    const type = text.get('actorType')
    const key = type === undefined ? 'userId' : ACTOR_ID_KEY[type]
    if (key === undefined) return { refusal: `Actor type '${type}' does not support filtering by actor ID` }
    tests.push((event) => member(event.actor.metadata, key) === actor)
  }

  const types = text
    .get('eventType')
    ?.split(',')
    .filter((type) => type !== '')
  if (types !== undefined) tests.push((event) => types.includes(event.event.type))
  const classes = dialect.generation === '2026' ? text.get('eventClass')?.split(',') : undefined
  if (classes !== undefined) tests.push((event) => classes.includes(dialect.classOf(event.event.type)))
  const empty =
    types !== undefined &&
    classes !== undefined &&
    !types.some((type) => classes.includes(dialect.classOf(type)))

  for (const [key, wanted] of metadataPairs(text.get('eventMetadata') ?? '', dialect.generation)) {
    // ClickHouse leaves out a key that it cannot put into its query, and says so in the server's log only.
    if (dialect.clickhouse && !/^[A-Za-z0-9_]+$/.test(key)) continue
    variable = true
    tests.push((event) => member(event.event.metadata, key) === wanted)
  }

  if (text.has('projectId') && (types === undefined || types.some((type) => SECRET_TYPES.has(type)))) {
    equal('environment', (event) => member(event.event.metadata, 'environment'))
    const path = text.get('secretPath')
    if (path !== undefined) {
      const wanted = path.length > 1 ? path.replace(/\/+$/, '') : path
      tests.push((event) => member(event.event.metadata, 'secretPath') === wanted)
    }
    const key = text.get('secretKey')
    if (key !== undefined) {
      variable = true
      tests.push((event) => holdsKey(event.event.metadata, key))
    }
  }
  const test = tests.length === 0 ? undefined : (event: NativeEvent) => tests.every((one) => one(event))
  return { test, variable, empty }
}

/** The older server keeps only what stands between the first and the second `=`. Pairs that lack a side are dropped. */
function metadataPairs(text: string, generation: '2025' | '2026'): readonly (readonly [string, string])[] {
  return text.split(',').flatMap((pair) => {
    const [key = '', ...rest] = pair.split('=')
    const value = generation === '2025' ? (rest[0] ?? '') : rest.join('=')
    return key.trim() === '' || value.trim() === '' ? [] : [[key.trim(), value.trim()] as const]
  })
}

function member(metadata: unknown, key: string): unknown {
  return metadata !== null && typeof metadata === 'object'
    ? (metadata as Readonly<Record<string, unknown>>)[key]
    : undefined
}

function holdsKey(metadata: unknown, key: string): boolean {
  if (member(metadata, 'secretKey') === key) return true
  const secrets = member(metadata, 'secrets')
  return Array.isArray(secrets) && secrets.some((secret) => member(secret, 'secretKey') === key)
}
