import { MINUTE_MS, type TimeRange } from '../../core/time-range.ts'

/** What one line of a self-hosted server's log says about streams that lost events. */
export type LogFinding = {
  /** L1 to L7 of the source's description. */
  readonly kind: 'dropped' | 'failed' | 'stale' | 'not-stored' | 'stream-deleted' | 'not-queued' | 'legacy'
  readonly atMs: number
  readonly streamId: string | undefined
  readonly provider: string | undefined
  /** Events that the line claims were dropped; 0 where it only tells of a failure that may have been mended. */
  readonly claimed: number
  /** The event, where the line names it. */
  readonly eventId: string | undefined
}

/** A stretch of time to compare, and why. */
export type LogWindow = TimeRange & {
  readonly streamId: string | undefined
  readonly provider: string | undefined
  readonly claimed: number
  readonly eventIds: readonly string[]
  readonly because: readonly LogFinding['kind'][]
}

const PATTERNS: readonly (readonly [LogFinding['kind'], RegExp])[] = [
  ['dropped', /audit-log-stream-outbox: dropping events after exhausting retries/],
  ['failed', /audit-log-stream-outbox: batch delivery failed/],
  ['stale', /audit-log-stream-outbox: recovered stale claims/],
  ['not-stored', /audit-log-queue: Dropped audit log/],
  ['stream-deleted', /audit-log-stream-outbox: stream deleted, dropping flush/],
  ['not-queued', /audit-log-stream-outbox: failed to enqueue flush job/],
  ['legacy', /Failed to stream audit log \[auditLogId=/],
]

/** Lines that belong to one outage lie closer together than this. */
const ONE_OUTAGE_MS = 30 * MINUTE_MS

/**
 * One line, as pino writes it (JSON, `time` in epoch milliseconds or ISO) or as text with an ISO time in front. Undefined for a line that
 * tells nothing about streams; `atMs` NaN where it has no time that says which day it was.
 * @source Infisical: audit-log-stream-outbox and audit-log-queue services, lines L1 to L7
 */
export function readLogLine(line: string): LogFinding | undefined {
  const { text, atMs } = messageOf(line)
  const kind = PATTERNS.find(([, pattern]) => pattern.test(text))?.[0]
  if (kind === undefined) return undefined
  const bracket = (name: string): string | undefined => new RegExp(`\\[${name}=([^\\]]*)\\]`).exec(text)?.[1]
  const claimed =
    kind === 'dropped'
      ? bracket('count')
      : kind === 'stale'
        ? (bracket('dropped') ?? bracket('movedToDlq'))
        : kind === 'not-stored' || kind === 'legacy'
          ? '1'
          : '0'
  return {
    kind,
    atMs,
    streamId: bracket('streamId'),
    provider: bracket('provider'),
    claimed: Number(claimed ?? 0) || 0,
    eventId: kind === 'legacy' ? bracket('auditLogId') : undefined,
  }
}

/**
 * The windows to check. A stream's failures (each batch fails first within seconds of its events) say best when an outage was: from the
 * first to the last, widened. Without them a drop is dated back by the 7.5 to 9.25 minutes that the retries take, widened likewise.
 * Events that were lost before they were stored make no window: they cannot be found anywhere.
 */
export function windowsOfLog(findings: readonly LogFinding[]): readonly LogWindow[] {
  const dated = findings
    .filter(({ kind, atMs }) => kind !== 'not-stored' && !Number.isNaN(atMs))
    .sort((a, b) => a.atMs - b.atMs)
  const groups: LogFinding[][] = []
  for (const finding of dated) {
    const group = groups.findLast((candidate) => {
      const last = candidate.at(-1)
      const isSame =
        last?.streamId === finding.streamId || last?.streamId === undefined || finding.streamId === undefined
      return last !== undefined && isSame && finding.atMs - last.atMs <= ONE_OUTAGE_MS
    })
    if (group === undefined) groups.push([finding])
    else group.push(finding)
  }
  // A failure that was mended by a retry lost nothing: without a drop near it there is nothing to check.
  return groups.filter((group) => group.some(({ kind }) => kind !== 'failed')).map(windowOf)
}

function windowOf(group: readonly LogFinding[]): LogWindow {
  const failures = group.filter(({ kind }) => kind === 'failed').map(({ atMs }) => atMs)
  const ranges: TimeRange[] = []
  for (const { kind, atMs } of group) {
    if (kind === 'dropped') ranges.push({ from: atMs - 15 * MINUTE_MS, to: atMs - 5 * MINUTE_MS })
    if (kind === 'stale') ranges.push({ from: atMs - 25 * MINUTE_MS, to: atMs })
    if (kind === 'stream-deleted' || kind === 'legacy')
      ranges.push({ from: atMs - 15 * MINUTE_MS, to: atMs + MINUTE_MS })
    if (kind === 'not-queued') ranges.push({ from: atMs - MINUTE_MS, to: atMs + 15 * MINUTE_MS })
  }
  if (failures.length > 0)
    ranges.push({ from: Math.min(...failures) - MINUTE_MS, to: Math.max(...failures) + MINUTE_MS })
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
    streamId: group.find(({ streamId }) => streamId !== undefined)?.streamId,
    provider: group.find(({ provider }) => provider !== undefined)?.provider,
    claimed: group.reduce((sum, { claimed }) => sum + claimed, 0),
    eventIds: group.flatMap(({ eventId }) => (eventId === undefined ? [] : [eventId])),
    because: [...new Set(group.map(({ kind }) => kind))],
  }
}

function messageOf(line: string): { readonly text: string; readonly atMs: number } {
  const brace = line.indexOf('{')
  if (brace >= 0) {
    try {
      const record = JSON.parse(line.slice(brace)) as { msg?: unknown; time?: unknown; message?: unknown }
      const text = String(record.msg ?? record.message ?? '')
      if (text !== '') return { text, atMs: timeOf(record.time) }
    } catch {
      // Text with a brace in it: read as text below.
    }
  }
  const iso = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/.exec(line)?.[0]
  return { text: line, atMs: iso === undefined ? Number.NaN : timeOf(iso) }
}

function timeOf(value: unknown): number {
  if (typeof value === 'number') return value < 100_000_000_000 ? value * 1000 : value
  if (typeof value !== 'string') return Number.NaN
  if (/^\d+$/.test(value)) return timeOf(Number(value))
  const text = value.replace(' ', 'T').replace(',', '.')
  return Date.parse(/[Zz]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
}
