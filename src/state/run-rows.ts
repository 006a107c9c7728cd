import type { RunQuestion, RunReport, RunStatus } from '../core/report.ts'
import type { RangeState, RunCounters, RunPhase, RunRecord, SpoolRange } from './run-record.ts'
import type { Row } from './statements.ts'

export const NO_COUNTERS: RunCounters = {
  batches: 0,
  requests: 0,
  retries: 0,
  bytesSent: 0,
  duplicatesPossible: 0,
  unverified: 0,
  restamped: 0,
  deadLetterBytes: 0,
  durationMs: 0,
  notRebuilt: {},
}

export const NOTHING_CARRIED: RunRecord['carried'] = { rejected: 0, late: 0, archived: 0 }

export function recordOf(row: Row): RunRecord {
  return {
    id: String(row['id']),
    key: String(row['key']),
    question: JSON.parse(String(row['question'])) as RunQuestion,
    status: row['status'] as RunStatus,
    phase: row['phase'] as RunPhase,
    doneThrough: Number(row['done_through']),
    scanned: Number(row['scanned']),
    held: Number(row['held']),
    spooled: Number(row['spooled']),
    spoolBytes: Number(row['spool_bytes']),
    carried: { ...NOTHING_CARRIED, ...(JSON.parse(String(row['carried'])) as RunRecord['carried']) },
    counters: { ...NO_COUNTERS, ...(JSON.parse(String(row['counters'])) as RunCounters) },
    report: row['report'] === null ? undefined : (JSON.parse(String(row['report'])) as RunReport),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
  }
}

export function rangeOf(row: Row): SpoolRange {
  return {
    first: Number(row['first']),
    count: Number(row['count']),
    spoolFrom: Number(row['spool_from']),
    spoolTo: Number(row['spool_to']),
    state: row['state'] as RangeState,
    sentAt: row['sent_at'] === null ? undefined : Number(row['sent_at']),
    attempts: Number(row['attempts']),
    code: row['code'] === null ? undefined : String(row['code']),
    reason: row['reason'] === null ? undefined : String(row['reason']),
  }
}
