import { DAY_MS } from '../../core/time-range.ts'

/** What kind of Splunk it is, and its limits. */
export type SplunkProfile = {
  /** `legacy` refuses array bodies and knows no v2 search; `cloud` caps bodies and words code 10 as 28. */
  readonly kind: 'enterprise' | 'legacy' | 'cloud'
  readonly maxContentBytes: number
  readonly maxEventBytes: number
  /** How long an acknowledgment takes. */
  readonly ackDelayMs: number
  readonly ackIdleMs: number
  readonly maxPendingAcks: number
  /** `frozenTimePeriodInSecs`: older rows vanish. */
  readonly retentionMs: number
  /** Searches at once, per user. */
  readonly searchQuota: number
}

export const ENTERPRISE: SplunkProfile = {
  kind: 'enterprise',
  maxContentBytes: 838_860_800,
  maxEventBytes: 5_242_880,
  ackDelayMs: 0,
  ackIdleMs: 600_000,
  maxPendingAcks: 1_000_000,
  retentionMs: 2184 * DAY_MS,
  searchQuota: 3,
}

/** Over this a Cloud trial answered 400 code 6, event 0, not 413. */
export const CLOUD_BODY_BYTES = 5_242_881

export type HecToken = {
  readonly token: string
  readonly isDisabled?: boolean
  readonly usesAck?: boolean
  readonly indexes: readonly string[]
  readonly defaultIndex: string
}

// Throwaway secrets, told apart from real ones at sight.
export const PLAIN_TOKEN = '5ab0feed-0000-4000-8000-5a4db0c0ffee'
export const ACK_TOKEN = '5ab0feed-0000-4000-8000-5a4db0c0aced'
export const DISABLED_TOKEN = '5ab0feed-0000-4000-8000-5a4db0c0dead'
export const SEARCH_TOKEN = 'eyJraWQiOiJzYW5kYm94In0.sandbox-search-token'

const indexes = ['audit', 'main', 'other']
export const TOKENS: readonly HecToken[] = [
  { token: PLAIN_TOKEN, indexes, defaultIndex: 'audit' },
  { token: ACK_TOKEN, usesAck: true, indexes, defaultIndex: 'audit' },
  { token: DISABLED_TOKEN, isDisabled: true, indexes, defaultIndex: 'audit' },
]
