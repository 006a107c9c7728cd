import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { UserError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { compareEvents } from '../../core/event.ts'
import { eventAt } from '../../core/events-of.ts'
import { sliceLines } from '../../core/json-lines.ts'
import { findMember, skipValue } from '../../core/json-members.ts'
import type { EventShape } from '../../core/source.ts'
import type { Ledger, RunRecord } from '../../state/ledger.ts'
import { Spool } from '../../state/spool.ts'
import { DEAD_LETTER_FILE } from './dead-letters.ts'
import { SPOOL_FILE } from './index.ts'

const EVENT_KEY = new TextEncoder().encode('event')
/** Dead letters are few; more than this and something else is wrong. */
const MAX_LETTERS = 1_000_000

/**
 * A new run whose spool holds the dead letters of `of`, or the corrected lines of `file`; ready to be delivered.
 * @throws UserError naming the line that is no dead letter
 */
export async function createResend(
  ledger: Ledger,
  of: RunRecord,
  shape: EventShape,
  options: {
    readonly file: string | undefined
    readonly late: RunRecord['question']['late']
    readonly mark: boolean
  },
): Promise<RunRecord> {
  const path = options.file ?? join(ledger.folderOf(of.id), DEAD_LETTER_FILE)
  if (!existsSync(path)) {
    throw new UserError(
      options.file === undefined ? `run ${of.id} has no dead letters` : `--file: ${path} does not exist`,
      { hint: 'see auditctl runs show' },
    )
  }
  const events = await readEvents(path, shape)
  if (events.length === 0)
    throw new UserError(`${path} holds no event`, { hint: 'its lines are those of auditctl runs rejects' })
  events.sort(compareEvents)
  const [first, last] = [events[0] as AuditEvent, events.at(-1) as AuditEvent]
  const window = { from: first.occurredAtMs, to: last.occurredAtMs + 1 }
  const run = ledger.createRun(`resend ${of.id} ${events.length} ${first.id} ${last.id}`, {
    ...of.question,
    mode: 'resend',
    ...window,
    typedWindow: `resend ${of.id}`,
    windows: [window],
    mark: options.mark,
    ...(options.late === undefined ? {} : { late: options.late, lateIsNamed: true }),
  })
  const spool = Spool.open(ledger.folderOf(run.id), SPOOL_FILE, 0)
  try {
    for (const event of events) spool.append(event)
    spool.sync()
    ledger.commitScan(run.id, {
      doneThrough: window.to,
      scanned: events.length,
      held: 0,
      spooled: events.length,
      spoolBytes: spool.length,
      carried: { rejected: 0, late: 0 },
    })
  } finally {
    spool.close()
  }
  ledger.setPhase(run.id, 'deliver', 'running')
  return ledger.readRun(run.id) ?? run
}

async function readEvents(path: string, shape: EventShape): Promise<AuditEvent[]> {
  const events: AuditEvent[] = []
  let at = 0
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    at += 1
    if (line.trim() === '') continue
    if (events.length >= MAX_LETTERS)
      throw new UserError(`${path} holds more than ${MAX_LETTERS} events`, { hint: 'split it' })
    events.push(eventOfLine(Buffer.from(line), path, at, shape))
  }
  return events
}

/** The `event` of a dead letter, its bytes as they stand there. */
function eventOfLine(line: Buffer, path: string, at: number, shape: EventShape): AuditEvent {
  try {
    const start = findMember(line, 0, line.length, EVENT_KEY)
    const end = start < 0 ? -1 : skipValue(line, start, line.length)
    if (end < 0) throw new SyntaxError('there is no "event"')
    const bytes = line.subarray(start, end)
    JSON.parse(bytes.toString('utf8'))
    return eventAt(sliceLines(bytes, shape).spans, 0, shape)
  } catch (cause) {
    throw new UserError(
      `line ${at} of ${path} is no dead letter: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        hint: 'a line is {"event":{…},"reason":"…","code":"…","attempts":n}, with the event in its native shape',
      },
    )
  }
}
