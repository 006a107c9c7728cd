import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventFilter, NO_FILTER, parseWhere } from '../../../../src/core/filter.ts'
import { Pushdown, planFilters } from '../../../../src/sources/infisical/pushdown.ts'

const PROJECT = '412466e8-90cf-4374-8a9a-4ee1c1abf355'
const USER = '77b1c4de-0a0f-4f8e-9d6c-1f4f0b9a2c33'

type Case = {
  readonly name: string
  readonly filter: Partial<EventFilter>
  readonly params: Readonly<Record<string, string>>
  readonly store?: 'postgres' | 'clickhouse'
  /** How many filters are left to be checked here alone. */
  readonly local: number
}

const where = (...texts: string[]) => ({ where: texts.map(parseWhere) })

const CASES: readonly Case[] = [
  { name: 'nothing', filter: {}, params: {}, local: 0 },
  {
    name: 'several event types as one list',
    filter: { events: ['get-secret', 'create-secret'] },
    params: { eventType: 'get-secret,create-secret' },
    local: 0,
  },
  {
    name: 'a renamed type under all its names',
    filter: { events: ['add-project-member'] },
    params: { eventType: 'add-project-member,add-workspace-member' },
    local: 0,
  },
  { name: 'a type that would break the list', filter: { events: ['a b'] }, params: {}, local: 1 },
  { name: 'an id of unknown kind', filter: { fields: { actor: USER } }, params: {}, local: 1 },
  {
    name: "a user's id",
    filter: { fields: { actor: USER, 'actor-type': 'user' } },
    params: { actor: USER, actorType: 'user' },
    local: 0,
  },
  {
    name: "an identity's id only by its kind, for older servers compare user ids",
    filter: { fields: { actor: USER, 'actor-type': 'identity' } },
    params: { actorType: 'identity' },
    local: 1,
  },
  {
    name: 'an actor type that some releases refuse',
    filter: { fields: { 'actor-type': 'estAccount' } },
    params: {},
    local: 1,
  },
  {
    name: 'a project by id',
    filter: { fields: { project: PROJECT } },
    params: { projectId: PROJECT },
    local: 0,
  },
  { name: 'a project by name', filter: { fields: { project: 'demo' } }, params: {}, local: 1 },
  {
    name: 'environment and key with a project',
    filter: { fields: { project: PROJECT, environment: 'prod', key: 'DB_URL' } },
    params: { projectId: PROJECT, environment: 'prod', secretKey: 'DB_URL' },
    local: 0,
  },
  {
    name: 'environment and key beside get-secrets, which the server does not heed',
    filter: { events: ['get-secrets'], fields: { project: PROJECT, environment: 'prod', key: 'DB_URL' } },
    params: { projectId: PROJECT, eventType: 'get-secrets', eventMetadata: 'environment=prod' },
    local: 1,
  },
  {
    name: 'environment and key without a project',
    filter: { fields: { environment: 'prod', key: 'DB_URL' } },
    params: { eventMetadata: 'environment=prod' },
    local: 1,
  },
  {
    name: 'no key where ClickHouse holds the log',
    filter: { fields: { project: PROJECT, key: 'DB_URL' } },
    store: 'clickhouse',
    params: { projectId: PROJECT },
    local: 1,
  },
  { name: 'no path, for it is a prefix', filter: { fields: { path: '/web' } }, params: {}, local: 1 },
  {
    name: 'a user agent type',
    filter: { fields: { 'user-agent-type': 'cli' } },
    params: { userAgentType: 'cli' },
    local: 0,
  },
  {
    name: 'an unknown user agent type',
    filter: { fields: { 'user-agent-type': 'pad' } },
    params: {},
    local: 1,
  },
  {
    name: 'metadata that is always text',
    filter: where('event.metadata.secretKey=DB_URL', 'event.metadata.secretPath=/web'),
    params: { eventMetadata: 'secretKey=DB_URL,secretPath=/web' },
    local: 0,
  },
  { name: 'metadata with a comma', filter: where('event.metadata.secretKey=a,b'), params: {}, local: 1 },
  {
    name: 'metadata with an equals sign',
    filter: where('event.metadata.secretKey=a=b'),
    params: {},
    local: 1,
  },
  {
    name: 'metadata that may be a number',
    filter: where('event.metadata.secretKey=5'),
    params: {},
    local: 1,
  },
  {
    name: 'metadata of another key',
    filter: where('event.metadata.numberOfSecrets=x'),
    params: {},
    local: 1,
  },
  { name: 'a pattern', filter: where('event.metadata.secretKey~^DB'), params: {}, local: 1 },
  { name: 'ip and entity', filter: { fields: { ip: '192.0.2.1', entity: USER } }, params: {}, local: 2 },
]

for (const { name, filter, params, store, local } of CASES) {
  test(`planFilters() sends ${name}`, () => {
    const plan = planFilters({ ...NO_FILTER, ...filter }, store)
    assert.deepEqual(new Pushdown(plan).params(), params)
    assert.equal(plan.local.length, local, plan.local.join('; '))
  })
}

test('Pushdown.drop() leaves a refused filter out and says so once', () => {
  const pushdown = new Pushdown(
    planFilters({ ...NO_FILTER, events: ['x'], fields: { project: PROJECT } }, undefined),
  )
  assert.equal(pushdown.drop('userAgentType', 'no'), false)
  assert.equal(pushdown.drop('eventType', 'Invalid enum value'), true)
  assert.equal(pushdown.drop('eventType', 'again'), false)
  assert.deepEqual(pushdown.params(), { projectId: PROJECT })
  assert.equal(pushdown.warnings().length, 1)
  assert.match(pushdown.warnings()[0] ?? '', /--event.*Invalid enum value.*filtered here/)
})
