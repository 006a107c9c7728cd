import { chance, uuidOf } from './hash.ts'
import { eventClassOf, type SetOptions } from './recorded-set.ts'

/** An event with holes: where the bytes are that differ from event to event. */
export type LayOut = {
  readonly bytes: Buffer
  readonly id: number
  readonly expiresAt: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly secretIds: readonly number[]
  /** Eight decimal digits each. */
  readonly numbers: readonly number[]
}

const COUNT = 1024
const HOLE_ID = '5ec4e75e-0000-4000-8000-000000000000'
const HOLE_NUMBER = '88888888'
const HOLE_TIME = '0000-00-00T00:00:00.000Z'
export const ORG_ID = '2124a45b-316f-4b25-a3a7-cd68caf60dc6'

/** The projects of the recordings, and what the sandbox's reader is a member of. */
export const PROJECTS: readonly (readonly [string, string])[] = [
  ['412466e8-90cf-4374-8a9a-4ee1c1abf355', 'demo'],
  ['2548f2f3-b7d4-412f-b98b-c818be34b454', 'payments'],
  ['057cf726-64cc-4714-8f0a-a6adfbfa0a70', 'platform-infrastructure'],
]

/** Types and how many of a thousand events have them, after the recordings. */
const MIX: readonly (readonly [string, number])[] = [
  ['get-secret', 260],
  ['get-secrets', 160],
  ['update-secret', 130],
  ['create-secret', 130],
  ['delete-secret', 90],
  ['create-secrets', 40],
  ['login-identity-universal-auth', 60],
  ['create-folder', 35],
  ['update-folder', 30],
  ['delete-folder', 15],
  ['create-identity', 10],
  ['update-identity', 10],
  ['delete-identity', 10],
  ['create-environment', 10],
  ['user-login', 10],
]
const PERSONS = ['admin', 'mira.olsen', 'teo.brandt', 'ines.prado', 'kofi.mensah', 'yuki.tanabe']
const MACHINES = ['ci-runner', 'terraform-prod', 'k8s-operator-eu', 'nightly-rotation', 'payments-api']
const AGENTS: readonly (readonly [string, string])[] = [
  ['cli', 'cli'],
  ['curl/8.5.0', 'other'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15', 'web'],
  ['terraform', 'terraform'],
  ['Go-http-client/2.0', 'other'],
  ['infisical-node-sdk InfisicalNodeSDK', 'InfisicalNodeSDK'],
  ['k8-operator', 'k8-operator'],
  ['InfisicalPythonSDK/1.0.8', 'InfisicalPythonSDK'],
]
const PATHS = ['/', '/backend', '/backend/database', '/frontend', '/shared/observability/collectors']
const ENVIRONMENTS = ['dev', 'staging', 'prod']
const NAMES = ['DATABASE_URL', 'STRIPE_API_KEY', 'SESSION_SIGNING_KEY', 'SMTP_PASSWORD', 'FEATURE_FLAG_TOKEN']

/** Enough different events that a page looks like a page, few enough to be judged one by one. */
export function layOuts(options: SetOptions): readonly LayOut[] {
  return Array.from({ length: COUNT }, (_, index) => layOut(template(index, options)))
}

function template(index: number, options: SetOptions): Readonly<Record<string, unknown>> {
  let turn = index * 64
  const pick = <Item>(items: readonly Item[]): Item => {
    turn += 1
    return items[Math.floor(chance(options.seed + 1, turn) * items.length)] as Item
  }
  const type = pick(MIX.flatMap(([name, share]) => new Array<string>(share / 5).fill(name)))
  const [userAgent, userAgentType] = pick(AGENTS)
  const organizational = /identity|user-login/.test(type)
  const [projectId, projectName] = organizational ? [null, null] : pick(PROJECTS)
  return {
    id: HOLE_ID,
    ipAddress: pick(['203.0.113.20', '203.0.113.27', '198.51.100.7', '2001:db8::17', '192.0.2.144']),
    userAgent,
    userAgentType,
    expiresAt: options.nullExpiry ? null : HOLE_TIME,
    createdAt: HOLE_TIME,
    updatedAt: HOLE_TIME,
    orgId: ORG_ID,
    projectId,
    projectName,
    event: { type, metadata: metadataOf(type, pick) },
    actor: actorOf(type, organizational, pick),
    ...(options.eventClass ? { eventClass: eventClassOf(type) } : {}),
  }
}

type Pick = <Item>(items: readonly Item[]) => Item

function metadataOf(type: string, pick: Pick): Readonly<Record<string, unknown>> {
  const environment = pick(ENVIRONMENTS)
  const secretPath = pick(PATHS)
  if (type === 'get-secrets') return { secretPath, environment, numberOfSecrets: pick([3, 17, 61, 240]) }
  if (type === 'create-secrets') {
    const secret = () => ({ secretId: HOLE_ID, secretKey: keyName(pick), secretVersion: 1 })
    return { secrets: [secret(), secret()], secretPath, environment }
  }
  if (type.endsWith('-secret')) {
    return {
      secretId: HOLE_ID,
      secretKey: keyName(pick),
      secretPath,
      environment,
      secretVersion: pick([1, 2, 3, 7]),
      ...(type === 'get-secret' ? { secretMetadata: [] } : {}),
    }
  }
  if (type.endsWith('-folder')) {
    return { folderId: HOLE_ID, folderName: `f${HOLE_NUMBER}`, folderPath: secretPath, environment }
  }
  if (type.endsWith('-environment')) return { name: `Env ${HOLE_NUMBER}`, slug: `env-${HOLE_NUMBER}` }
  if (type === 'user-login') return { organizationId: ORG_ID }
  if (type.startsWith('login-')) {
    return {
      identityId: uuidOf(2, MACHINES.indexOf(pick(MACHINES))),
      clientSecretId: uuidOf(3, 1),
      identityAccessTokenId: HOLE_ID,
      identityUniversalAuthId: uuidOf(3, 2),
    }
  }
  return { name: `robot-${HOLE_NUMBER}`, identityId: HOLE_ID, hasDeleteProtection: false }
}

function keyName(pick: Pick): string {
  return `${pick(NAMES)}_${HOLE_NUMBER}`
}

function actorOf(type: string, organizational: boolean, pick: Pick): Readonly<Record<string, unknown>> {
  if (type.startsWith('login-')) return { type: 'unknownUser', metadata: {} }
  if (organizational || pick([0, 1, 2]) === 0) {
    const person = pick(PERSONS)
    const email = `${person}@example.test`
    const userId = uuidOf(1, PERSONS.indexOf(person))
    const metadata = { email, userId, username: email, authMethod: 'email', permission: { metadata: {} } }
    return { type: 'user', metadata }
  }
  const name = pick(MACHINES)
  const identityId = uuidOf(2, MACHINES.indexOf(name))
  return {
    type: 'identity',
    metadata: { name, identityId, permission: { metadata: {}, authMethod: 'universal' } },
  }
}

function layOut(record: Readonly<Record<string, unknown>>): LayOut {
  const text = JSON.stringify(record)
  const valueAt = (key: string): number => {
    const found = text.indexOf(`"${key}":"`)
    return found < 0 ? -1 : found + key.length + 4
  }
  return {
    bytes: Buffer.from(text, 'latin1'),
    id: valueAt('id'),
    expiresAt: valueAt('expiresAt'),
    createdAt: valueAt('createdAt'),
    updatedAt: valueAt('updatedAt'),
    secretIds: allOf(text, HOLE_ID).slice(1),
    numbers: allOf(text, HOLE_NUMBER),
  }
}

function allOf(text: string, hole: string): readonly number[] {
  return [...text.matchAll(new RegExp(hole, 'g'))].map((match) => match.index)
}
