import { UserError } from '../../core/errors.ts'
import { isoTime } from '../../core/time-range.ts'
import { lateNow } from './encode.ts'
import { spooledEvents } from './spooled-events.ts'
import { boundOf } from './stretches.ts'
import type { BackfillOptions, Work } from './types.ts'

const FUSE_EVENTS = 1000
const FUSE_PERCENT = 50

/**
 * The fuse: in words when more than `--max-missing` of the window would be sent, else undefined. It blows for a window of 1,000 events or
 * more, and for any window once `--max-missing` was given.
 */
export function blownFuse(
  { mode, maxMissing }: Pick<BackfillOptions, 'mode' | 'maxMissing'>,
  { scanned, spooled, held }: { readonly scanned: number; readonly spooled: number; readonly held: number },
): string | undefined {
  if (mode !== 'missing' || spooled === 0) return undefined
  if (maxMissing === undefined && scanned < FUSE_EVENTS) return undefined
  const { events, percent = FUSE_PERCENT } = maxMissing ?? {}
  const most = events ?? (scanned * percent) / 100
  if (spooled <= most) return undefined
  const seen =
    held === 0
      ? `none of ${group(scanned)} are held`
      : `${group(spooled)} of ${group(scanned)} are missing, more than the ${events === undefined ? `${percent}%` : group(events)} that --max-missing allows`
  return `${seen}: wrong source, index or idField?`
}

/** What the plan says of events outside the accept window. */
export type LateFound = { readonly count: number; readonly oldest: number; readonly reason: string }

/** How many of what would be sent are outside the accept window now. The spool is in order of time, but the future is late too. */
export function findLate(work: Work): LateFound | undefined {
  const { parts, options, run, spool } = work
  const { accepts } = parts.destination.traits
  if (accepts.pastMs === undefined && accepts.futureMs === undefined) return undefined
  const whole = { first: 0, count: run.spooled, spoolFrom: 0, spoolTo: run.spoolBytes }
  const before = boundOf([whole], options.limit)
  let found: LateFound | undefined
  for (const { event, position } of spooledEvents(spool, parts.source.shape, whole)) {
    if (position >= before) break
    const reason = lateNow(parts, event.occurredAtMs)
    if (reason !== undefined)
      found = { oldest: event.occurredAtMs, reason, ...found, count: (found?.count ?? 0) + 1 }
    else if (accepts.futureMs === undefined) break
  }
  return found
}

/**
 * What a person has to agree to, in words; without one to ask, it is refused.
 * @throws UserError when a guard refuses; nothing was sent
 */
export function checkGuards(work: Work): readonly string[] {
  const { options, run, parts } = work
  const doubts: string[] = []
  const doubt = (code: string, message: string, hint: string): void => {
    if (parts.confirm === undefined) throw new UserError(message, { code, hint })
    doubts.push(message)
  }
  const fuse = blownFuse(options, run)
  if (fuse !== undefined)
    doubt('fuse', fuse, 'look with auditctl gaps first; if it is right, say so with --max-missing 100%')
  const late = findLate(work)
  if (late === undefined) return doubts
  const { name } = parts.destination
  const since = `the oldest of ${isoTime(late.oldest)}`
  if (options.late === 'fail') {
    throw new UserError(
      `${group(late.count)} of the events are outside what ${name} keeps under their own time (${since}: ${late.reason}); nothing was sent`,
      { code: 'late', hint: 'choose what becomes of them with --late skip, restamp or archive' },
    )
  }
  if (options.late === 'restamp' && !options.lateIsNamed && !options.yes) {
    doubt(
      'restamp',
      `${group(late.count)} events would be dated by arrival, since they are outside what ${name} keeps under their own time (${since})`,
      'agree with --yes, or name the policy with --late restamp (or skip, fail, archive)',
    )
  }
  return doubts
}

export function group(count: number): string {
  return count.toLocaleString('en-US')
}
