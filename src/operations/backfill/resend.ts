import { createHash } from 'node:crypto'
import { createReadStream, existsSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserError } from '../../core/errors.ts'
import { type AuditEvent, compareEvents } from '../../core/event.ts'
import { eventAt } from '../../core/events-of.ts'
import type { Inventory } from '../../core/inventory.ts'
import { sliceLines } from '../../core/json-lines.ts'
import { findMember, skipValue } from '../../core/json-members.ts'
import type { Log } from '../../core/runtime.ts'
import type { EventShape } from '../../core/source.ts'
import type { Ledger } from '../../state/ledger.ts'
import { isUnfinished, type RunRecord } from '../../state/run-record.ts'
import { NOTHING_CARRIED } from '../../state/run-rows.ts'
import { Spool } from '../../state/spool.ts'
import { HeldIds } from '../held-ids.ts'
import { deadLettersOf } from './dead-letters.ts'
import { SPOOL_FILE } from './spooled-events.ts'

const EVENT_KEY = new TextEncoder().encode('event')
/** Dead letters are few; more than this and something else is wrong. */
const MAX_LETTERS = 1_000_000

export type ResendParts = {
  readonly ledger: Ledger
  readonly shape: EventShape
  /** What the SIEM holds by now is not sent a second time. */
  readonly live: Inventory | undefined
  readonly log: Log
  readonly signal: AbortSignal
}

export type ResendOptions = {
  readonly file: string | undefined
  readonly late: RunRecord['question']['late']
  readonly mark: boolean
  readonly verify: boolean
}

/**
 * A new run whose spool holds the dead letters of `of`, or the corrected lines of `file`; ready to be delivered. The same resend that was left
 * in the middle is given again instead.
 * @throws UserError naming the line that is no dead letter
 */
export async function createResend(
  { ledger, shape, live, log, signal }: ResendParts,
  of: RunRecord,
  options: ResendOptions,
): Promise<RunRecord> {
  const events = await lettersOf(ledger, of, options.file, shape)
  events.sort(compareEvents)
  const [first, last] = [events[0] as AuditEvent, events.at(-1) as AuditEvent]
  const window = { from: first.occurredAtMs, to: last.occurredAtMs + 1 }
  const digest = createHash('sha256')
  for (const event of events) digest.update(event.bytes)
  const key = `resend ${of.id} ${digest.digest('hex').slice(0, 32)}`
  const begun = ledger.findByKey(key)
  if (begun !== undefined && isUnfinished(begun)) return begun
  const held = live === undefined ? undefined : await HeldIds.over({ inventory: live, log, signal }, window)
  const id = ledger.newRunId()
  const spool = Spool.open(ledger.folderOf(id), SPOOL_FILE, 0)
  let spooled = 0
  try {
    for (const event of events) {
      if (held !== undefined && (await held.has(event))) continue
      spool.append(event)
      spooled += 1
    }
    spool.sync()
    const scanned = events.length
    const progress = {
      doneThrough: window.to,
      scanned,
      held: scanned - spooled,
      spooled,
      spoolBytes: spool.length,
      carried: NOTHING_CARRIED,
    }
    const { probe: _, maxMissing: __, ...question } = of.question
    return ledger.createRun(
      key,
      {
        ...question,
        mode: 'resend',
        ...window,
        typedWindow: `resend ${of.id}`,
        windows: [window],
        mark: options.mark,
        verify: options.verify,
        ...(options.late === undefined ? {} : { late: options.late, lateIsNamed: true }),
      },
      { id, progress },
    )
  } catch (error) {
    rmSync(ledger.folderOf(id), { recursive: true, force: true })
    throw error
  } finally {
    spool.close()
  }
}

async function lettersOf(
  ledger: Ledger,
  of: RunRecord,
  file: string | undefined,
  shape: EventShape,
): Promise<AuditEvent[]> {
  const own = deadLettersOf(ledger, of)
  if (file === undefined && own === undefined) {
    throw new UserError(`run ${of.id} has no dead letters`, { hint: `see auditctl runs show ${of.id}` })
  }
  if (file !== undefined && !existsSync(file))
    throw new UserError(`--file: ${file} does not exist`, {
      hint: `make it from auditctl runs rejects ${of.id}`,
    })
  const path = file ?? own?.path ?? ''
  const input =
    file === undefined ? createReadStream(path, { end: (own?.bytes ?? 1) - 1 }) : createReadStream(path)
  const events: AuditEvent[] = []
  let at = 0
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    at += 1
    if (line.trim() === '') continue
    if (events.length >= MAX_LETTERS)
      throw new UserError(`${path} holds more than ${MAX_LETTERS} events`, { hint: 'split it' })
    events.push(eventOfLine(Buffer.from(line), path, at, shape))
  }
  if (events.length === 0)
    throw new UserError(`${path} holds no event`, { hint: 'its lines are those of auditctl runs rejects' })
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
