import { formatDuration } from '../../core/duration.ts'
import { isoTime } from '../../core/time-range.ts'
import { bytesText } from '../bytes-text.ts'
import { count, counted } from '../counted.ts'
import type { Incident } from './collect.ts'
import { outOf } from './commands.ts'
import type { GapFate, Refusal } from './gap-fates.ts'
import { block, code, plain, table } from './markdown.ts'

/** A table that nobody reads to its end; the rest is summed up. */
const MOST_ROWS = 200

/** The gaps with their times, and what became of each. */
export function lostSection({ report, gaps, question }: Incident): string {
  const title = '## What was lost, and when'
  const { mode, scanned, alreadyHeld } = report
  if (mode === 'all')
    return `${title}\n\nNot known: the whole window was sent, and what the SIEM lacked before was not looked up.`
  if (mode === 'resend')
    return `${title}\n\n${counted(scanned, 'event')} that an earlier run had not delivered (${plain(question?.typedWindow ?? 'resend')}), from ${report.window.from} to ${report.window.to}.`
  const missing = scanned - alreadyHeld
  if (missing === 0)
    return `${title}\n\nNothing: the SIEM held every one of the ${counted(scanned, 'event')} that the source recorded in the window.`
  const share =
    scanned === 0 ? '' : ` (${((100 * missing) / scanned).toFixed(missing * 1000 < scanned ? 3 : 1)} %)`
  const said = `${counted(missing, 'event')} of the ${count(scanned)} recorded by the source${share} were not held by ${code(report.stream ?? '')}`
  if (gaps.length === 0)
    return `${title}\n\n${said}. Their times are not recorded with ${report.run === null ? 'a dry run' : 'this run'}: ${code('auditctl gaps')} lists them.`
  const listed = gaps.slice(0, MOST_ROWS)
  const rest = missing - listed.reduce((sum, gap) => sum + gap.missing, 0)
  const head = ['from', 'to', 'lasted', 'events', 'refilled', 'not in the SIEM', 'first id', 'last id']
  const last = listed.at(-1)
  const more =
    rest === 0 || last === undefined
      ? ''
      : `\n\n${counted(rest, 'event')} more in later gaps, after ${isoTime(last.range.to)}.`
  const number =
    rest === 0 ? `in ${counted(gaps.length, 'gap')}` : `in more than ${counted(listed.length, 'gap')}`
  return `${title}\n\n${said}, ${number}:\n\n${table(head, listed.map(gapRow))}${more}`
}

function gapRow(gap: GapFate): readonly string[] {
  return [
    isoTime(gap.range.from),
    isoTime(gap.range.to),
    formatDuration(gap.range.to - gap.range.from),
    count(gap.missing),
    count(gap.delivered),
    count(gap.missing - gap.delivered),
    code(gap.firstId),
    code(gap.lastId),
  ]
}

export function foundSection({ report, question }: Incident): string {
  const title = '## How it was found'
  if (report.mode === 'all')
    return `${title}\n\nIt was not looked for: the whole window was sent (${code('--all')}).`
  if (report.mode === 'resend')
    return `${title}\n\nThe earlier run noted them in its dead letters; what the SIEM held by now, if it can be searched, was left out.`
  const at = report.createdAt === undefined ? '' : `, at ${report.createdAt}`
  const compared = `The id of every event that ${code(report.source)} recorded in the window was looked up in what the SIEM held${at}`
  const by = question?.foundBy
  if (by?.file !== undefined) return `${title}\n\n${compared}, by the ids in the file ${code(by.file)}.`
  const siem = by?.provider === undefined ? '' : ` (${plain(by.provider)})`
  if (by?.query === undefined)
    return `${title}\n\n${compared}, by the search of ${code(report.stream ?? '')}${siem}.`
  const where = by.where === undefined ? '' : `\n\nTo run it by hand: ${plain(by.where)}`
  return `${title}\n\n${compared}, by the search of ${code(report.stream ?? '')}${siem}. Its query, for the whole window:\n\n${block([by.query])}${where}`
}

export function refilledSection({ report, sent }: Incident): string {
  const title = '## What was refilled'
  if (report.plan !== undefined)
    return `${title}\n\nNothing yet: this is a plan. ${counted(report.plan.events, 'event')} would be sent in ${counted(report.plan.batches, 'request')}.`
  if (report.delivered === 0) return `${title}\n\nNothing was delivered.`
  const when = sent === undefined ? '' : `, between ${isoTime(sent.from)} and ${isoTime(sent.to)}`
  const lines = [
    `${counted(report.delivered, 'event')} in ${counted(report.requests, 'request')} (${counted(report.retries, 'retry', 'retries')}), ${bytesText(report.bytesSent)}${when}.`,
  ]
  if (report.verified === true) lines.push('Every one of them was found in the SIEM afterwards.')
  if (report.verified === false)
    lines.push(
      `${counted(report.stillMissing ?? 0, 'event')} of them could not be found in the SIEM afterwards.`,
    )
  if (report.verified === null) lines.push('Whether the SIEM shows them was not looked up (`--verify` does).')
  if (report.duplicatesPossible > 0)
    lines.push(`${counted(report.duplicatesPossible, 'event')} may have been sent twice.`)
  for (const [field, events] of Object.entries(report.notRebuilt ?? {}))
    lines.push(
      `The field ${code(field)} of ${counted(events, 'event')} could not be rebuilt: the source no longer tells it.`,
    )
  return `${title}\n\n${lines.join('\n')}`
}

const FATES: Readonly<Record<Refusal['state'], string>> = {
  rejected: 'refused by the destination',
  late: 'too late for the destination, not sent',
  archived: 'too late for the destination, written to the archive',
}

/** What the SIEM will not show, and where it is instead. */
export function goneSection({ report, refusals }: Incident): string {
  const title = '## What is not in the SIEM'
  const { rejected, late, archived, unresolved, pending } = report
  const gone = rejected + late
  if (report.plan !== undefined) return ''
  if (gone + unresolved + pending + (report.stillMissing ?? 0) === 0)
    return `${title}\n\nNothing that this run knows of.`
  const parts: string[] = []
  if (refusals.length > 0) {
    const rows = refusals.map(({ state, code: answer, reason, events }) => [
      count(events),
      FATES[state],
      answer === '' ? '-' : code(answer),
      plain(reason),
    ])
    parts.push(table(['events', 'what became of them', 'code', 'reason (of the first)'], rows))
  }
  const earlier = gone - refusals.reduce((sum, { events }) => sum + events, 0)
  const lines: string[] = []
  if (earlier > 0) lines.push(`- ${counted(earlier, 'event')} that earlier runs had given up on or archived`)
  if (gone > archived) {
    const file = report.deadLetter === null ? '' : ` They lie in ${code(report.deadLetter)}:`
    lines.push(
      `- ${counted(gone - archived, 'event')} gone for good unless sent again.${file} ${code(`auditctl runs rejects ${report.run}`)} prints them, ${code(`auditctl runs resend ${report.run}`)} tries again`,
    )
  }
  if (unresolved > 0)
    lines.push(
      `- ${counted(unresolved, 'event')} of unknown outcome: ${code(`auditctl runs resume ${report.run}`)} settles it`,
    )
  if (pending > 0)
    lines.push(
      `- ${counted(pending, 'event')} not reached: ${code(`auditctl runs resume ${report.run}`)} goes on`,
    )
  if ((report.stillMissing ?? 0) > 0)
    lines.push(`- ${counted(report.stillMissing ?? 0, 'event')} that were accepted but cannot be found`)
  if (lines.length > 0) parts.push(lines.join('\n'))
  return `${title}\n\n${parts.join('\n\n')}`
}

/** Of an export. */
export function writtenSection({ report, question }: Incident): string {
  const out = outOf(report, question)
  const where = out === undefined || out === '-' ? 'stdout' : code(out)
  const state =
    report.status === 'completed'
      ? 'It is complete.'
      : `It is not complete: ${report.run === null ? 'the same command' : code(`auditctl runs resume ${report.run}`)} goes on.`
  const format = question?.command?.['format']
  const as = typeof format === 'string' ? ` as ${plain(format)}` : ''
  return `## What was written\n\n${counted(report.written ?? 0, 'event')} to ${where}${as}. ${state}`
}
