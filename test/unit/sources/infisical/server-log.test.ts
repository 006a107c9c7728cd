import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLogLine, windowsOfLog } from '../../../../src/sources/infisical/server-log.ts'

const STREAM = '1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11'
const ORG = '5d2f6c1e-93f0-4c47-8f0b-6f2f4a3c9d10'
const at = (time: string): number => Date.parse(`2026-11-20T${time}Z`)
const pino = (time: string, msg: string): string => JSON.stringify({ level: 50, time: at(time), msg })
const dropped = (count: number): string =>
  `audit-log-stream-outbox: dropping events after exhausting retries [streamId=${STREAM}] [orgId=${ORG}] [provider=splunk] [count=${count}] [maxAttempts=5]: 503`
const failed = `audit-log-stream-outbox: batch delivery failed [streamId=${STREAM}] [orgId=${ORG}] [provider=splunk] [chunkSize=12]: 503`

const read = (lines: readonly string[]) => lines.flatMap((line) => readLogLine(line) ?? [])

test('readLogLine() reads a pino line with its stream, provider and count', () => {
  assert.deepEqual(readLogLine(pino('02:20:00', dropped(412))), {
    kind: 'dropped',
    atMs: at('02:20:00'),
    streamId: STREAM,
    provider: 'splunk',
    claimed: 412,
    eventId: undefined,
  })
})

for (const [what, line] of [
  ['text with an ISO time in front', `2026-11-20T02:20:00.000Z ERROR ${dropped(7)}`],
  ['a container prefix before JSON', `backend-1  | ${pino('02:20:00', dropped(7))}`],
  ['a time with a space, a comma and no zone', `2026-11-20 02:20:00,000 error ${dropped(7)}`],
] as const) {
  test(`readLogLine() reads ${what}`, () => {
    const finding = readLogLine(line)
    assert.deepEqual([finding?.kind, finding?.atMs, finding?.claimed], ['dropped', at('02:20:00'), 7])
  })
}

test('readLogLine() knows L3 to L7, and older spellings', () => {
  const kinds = read([
    pino(
      '02:00:00',
      'audit-log-stream-outbox: recovered stale claims [retried=1] [movedToDlq=9] [thresholdMs=600000]',
    ),
    pino(
      '02:00:00',
      `audit-log-queue: Dropped audit log — failed to push to ingest stream (at-most-once on request path) [event=get-secret] [orgId=${ORG}] [projectId=]`,
    ),
    pino('02:00:00', `audit-log-stream-outbox: stream deleted, dropping flush [streamId=${STREAM}]`),
    pino(
      '02:00:00',
      `audit-log-stream-outbox: failed to enqueue flush job [provider=splunk] [streamId=${STREAM}] [orgId=${ORG}]`,
    ),
    pino(
      '02:00:00',
      `Failed to stream audit log [auditLogId=9e0e1b52-51a1-4b2b-8f0a-2f0f4f6f9a01] [provider=splunk] [orgId=${ORG}]: 503`,
    ),
  ])
  assert.deepEqual(
    kinds.map(({ kind, claimed }) => [kind, claimed]),
    [
      ['stale', 9],
      ['not-stored', 1],
      ['stream-deleted', 0],
      ['not-queued', 0],
      ['legacy', 1],
    ],
  )
  assert.equal(kinds[4]?.eventId, '9e0e1b52-51a1-4b2b-8f0a-2f0f4f6f9a01')
})

test('readLogLine() passes over everything else', () => {
  for (const line of [
    '',
    '{',
    'GET /api/status 200',
    pino('02:00:00', 'audit-log-queue: Batch processed audit logs'),
    '{"msg":1}',
  ])
    assert.equal(readLogLine(line), undefined)
})

test('windowsOfLog() begins a minute before the first failed batch, whose events are the oldest that can be lost', () => {
  const [window, ...rest] = windowsOfLog(
    read([
      pino('02:10:00', failed),
      pino('02:12:00', failed),
      pino('02:19:00', dropped(400)),
      pino('02:21:00', dropped(12)),
    ]),
  )
  assert.deepEqual(rest, [])
  assert.equal(window?.claimed, 412)
  assert.ok((window?.from ?? 0) <= at('02:09:00') && (window?.to ?? 0) >= at('02:13:00'))
})

test('windowsOfLog() dates a drop without failures back by the time the retries take', () => {
  const [window] = windowsOfLog(read([pino('02:20:00', dropped(5))]))
  assert.deepEqual([window?.from, window?.to], [at('02:05:00'), at('02:15:00')])
})

test('windowsOfLog() keeps outages that lie hours apart apart', () => {
  assert.equal(windowsOfLog(read([pino('02:20:00', dropped(5)), pino('09:20:00', dropped(6))])).length, 2)
})

test('windowsOfLog() makes no window of failures that a retry mended, nor of events that were never stored', () => {
  assert.deepEqual(windowsOfLog(read([pino('02:10:00', failed)])), [])
  assert.deepEqual(
    windowsOfLog(read([pino('02:10:00', 'audit-log-queue: Dropped audit log — failed to push')])),
    [],
  )
})
