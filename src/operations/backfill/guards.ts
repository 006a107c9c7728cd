import { UserError } from '../../core/errors.ts'
import type { BackfillPlan } from '../../core/report.ts'
import type { BackfillOptions, Work } from './types.ts'

const FUSE_EVENTS = 1000
const FUSE_PERCENT = 50

/**
 * The fuse: in words when more than `--max-missing` of the window would be sent, else undefined. It blows for a window of 1,000 events or
 * more, and for any window once `--max-missing` was given.
 */
export function blownFuse(
  options: BackfillOptions,
  scanned: number,
  missing: number,
  held: number,
): string | undefined {
  if (options.mode !== 'missing' || missing === 0) return undefined
  if (options.maxMissing === undefined && scanned < FUSE_EVENTS) return undefined
  const { events, percent = events === undefined ? FUSE_PERCENT : undefined } = options.maxMissing ?? {}
  const most = events ?? (scanned * (percent ?? 100)) / 100
  if (missing <= most) return undefined
  const allowed = events === undefined ? `${percent}%` : `${events}`
  const seen =
    held === 0 ? `none of ${group(scanned)} are held` : `${group(missing)} of ${group(scanned)} are missing`
  return `${seen}, more than the ${allowed} that --max-missing allows: wrong source, index or idField?`
}

/** @throws UserError when a guard refuses; nothing was sent */
export function checkGuards(work: Work, plan: BackfillPlan | undefined, missing: number): void {
  const { options, run, parts } = work
  const fuse = blownFuse(options, run.scanned, missing, run.held)
  if (fuse !== undefined) {
    throw new UserError(fuse, {
      code: 'fuse',
      hint: 'look with auditctl gaps first; if it is right, say so with --max-missing 100%',
    })
  }
  const late = plan?.late ?? 0
  if (late > 0 && options.late === 'fail') {
    throw new UserError(
      `${group(late)} of the events are outside what ${parts.destination.name} keeps, the oldest of ${plan?.oldest ?? 'an earlier time'}; nothing was sent`,
      {
        code: 'late',
        hint: 'choose what becomes of them with --late skip, restamp or archive',
      },
    )
  }
  if (late > 0 && options.late === 'restamp' && !options.lateIsNamed && !options.yes) {
    throw new UserError(
      `${group(late)} events would be dated by arrival, since they are outside what ${parts.destination.name} keeps under their own time`,
      {
        code: 'restamp',
        hint: 'agree with --yes, or name the policy with --late restamp (or skip, fail, archive)',
      },
    )
  }
}

export function group(count: number): string {
  return count.toLocaleString('en-US')
}
