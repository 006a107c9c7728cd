import type { JsonObject } from '../../core/event.ts'
import { mix } from '../infisical/hash.ts'

/** What the filters look at; made without the rest of the entry. */
export type Facts = {
  readonly timeUs: number
  readonly action: string
  readonly identityId: string
  readonly identityType: string
  readonly secretPath: string | null
  readonly sourceIp: string
  readonly requestId: string
  readonly success: boolean
}

/** Entries by their sequence number, from 1, in the order of writing; none is kept. */
export type EntrySet = {
  readonly size: number
  timeUs(sequence: number): number
  facts(sequence: number): Facts
  /** In the documented field names. */
  entry(sequence: number): JsonObject
}

const IDENTITIES: readonly (readonly [id: string, type: string])[] = [
  ['user:ana@example.com', 'user'],
  ['user:teo@example.com', 'user'],
  ['sa:billing-worker', 'service_account'],
  ['sa:ci-deployer', 'service_account'],
  ['group:platform', 'group'],
  ['system:rotation-scheduler', 'system'],
]
const ACTIONS: readonly (readonly [action: string, hasSecret: boolean])[] = [
  ['read', true],
  ['read', true],
  ['read', true],
  ['read', true],
  ['write', true],
  ['delete', true],
  ['list', true],
  ['rotate', true],
  ['policy_update', false],
  ['policy_bind', false],
  ['pki_issue', false],
  ['dynamic_generate', false],
]
const PATHS = [
  'environments/production/payments/stripe',
  'environments/production/payments/stripe-webhooks',
  'environments/production/db/main "ü"',
  'environments/production-eu/db/main',
  'environments/staging/payments/stripe',
  'integrations/aws/audit-export',
]
const AGENTS = [
  'scaivault-python/1.0.0',
  'scaivault-js/0.9.2',
  'curl/8.5.0',
  'Mozilla/5.0 (X11; Linux x86_64)',
]

export function generatedEntries(options: {
  readonly size: number
  readonly seed: number
  readonly fromUs: number
  readonly ties: number
  /** Entries are dated up to so much before their turn. */
  readonly jitterUs: number
}): EntrySet {
  const { size, seed, fromUs, ties, jitterUs } = options
  const salt = mix(seed)
  const tieStart = Math.floor((size - ties) / 2)
  const pick = <Item>(list: readonly Item[], dice: number): Item => list[dice % list.length] as Item
  const plainUs = (index: number): number => fromUs + index * 100_000 + (mix(index + salt) % 99_000)
  const timeUs = (sequence: number): number => {
    const index = sequence - 1
    if (ties > 0 && index >= tieStart && index < tieStart + ties) return plainUs(tieStart)
    const late = jitterUs === 0 ? 0 : mix(index ^ (salt + 7)) % jitterUs
    return Math.max(fromUs, plainUs(index) - late)
  }
  const set: EntrySet = {
    size,
    timeUs,
    facts(sequence) {
      const dice = mix(sequence ^ salt)
      const [action, hasSecret] = pick(ACTIONS, dice)
      const [identityId, identityType] = pick(IDENTITIES, dice >>> 6)
      return {
        timeUs: timeUs(sequence),
        action,
        identityId,
        identityType,
        secretPath: hasSecret ? pick(PATHS, dice >>> 11) : null,
        sourceIp: `198.51.100.${dice % 200}`,
        requestId: `req_${mix(sequence + salt)
          .toString(16)
          .padStart(8, '0')}`,
        success: dice % 11 !== 0,
      }
    },
    entry(sequence) {
      const facts = set.facts(sequence)
      const dice = mix(sequence ^ salt)
      const isReference = dice % 3 !== 0
      return {
        id: `log_${mix(sequence ^ seed)
          .toString(16)
          .padStart(8, '0')}`,
        timestamp: timeText(facts.timeUs),
        action: facts.action,
        identity_type: facts.identityType,
        identity_id: facts.identityId,
        // Left out by some, null by others.
        ...(facts.secretPath === null && dice % 2 === 0 ? {} : { secret_path: facts.secretPath }),
        source_ip: facts.sourceIp,
        user_agent: pick(AGENTS, dice >>> 17),
        success: facts.success,
        duration_ms: 1 + (dice % 40),
        request_id: facts.requestId,
        ...(isReference
          ? { extra_data: facts.action === 'rotate' ? { rotation_reason: 'scheduled' } : {} }
          : {}),
        ...(facts.success ? {} : { error_code: 'access_denied', http_status: 403 }),
      }
    },
  }
  return set
}

/** Always six digits. */
export function timeText(timeUs: number): string {
  const seconds = new Date(Math.floor(timeUs / 1_000_000) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(timeUs % 1_000_000).padStart(6, '0')}Z`
}

/** Microseconds of an ISO time with a zone; undefined for anything else. */
export function microsOf(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}${match[3]}`)
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number((match[2] ?? '').slice(0, 6).padEnd(6, '0'))
}
