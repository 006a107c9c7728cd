import { formatDuration } from '../../core/duration.ts'
import type { BackfillPlan, RunReport } from '../../core/report.ts'
import type { Progress } from '../../core/runtime.ts'
import { failureText } from '../frame-lines.ts'
import type { AppState } from '../state.ts'
import type { Theme } from '../theme.ts'
import { bytesText, countText, eventsText, windowText } from '../words.ts'
import type { BackfillState } from './reducer.ts'

/** A backfill, from what it would do to what it did and how that was proven. */
export function backfillLines(state: AppState, backfill: BackfillState, theme: Theme): readonly string[] {
  const { columns } = state.layout
  const { request, phase, question, outcome, failure, progress } = backfill
  const zone = state.operations?.zone ?? 'UTC'
  const fit = (text: string): string => theme.cell(text, columns)
  const title = theme.paint(
    'bold',
    fit(`backfill of ${request.stream} from ${state.operations?.source ?? ''}`),
  )
  const head = [title, fit(windowText(request.query.window, zone, columns)), '']
  if (phase === 'failed') {
    const said = failure === undefined ? 'it failed' : failureText(failure)
    return [
      ...head,
      ...wrapped(said, columns).map((line) => theme.paint('bad', fit(line))),
      '',
      'Esc goes back to the coverage',
    ]
  }
  if (phase === 'asking' && question !== undefined) {
    const doubts = question.doubts
      .flatMap((doubt) => wrapped(doubt, columns))
      .map((line) => theme.paint('bad', fit(line)))
    const ask = `Send ${eventsText(question.plan.events)} to ${request.stream}?  y sends, n does not`
    return [...head, ...planLines(question.plan).map(fit), ...doubts, '', theme.paint('bold', fit(ask))]
  }
  if (phase === 'done' && outcome !== undefined)
    return [...head, ...doneLines(state, outcome.report, theme, columns)]
  const word =
    phase === 'stopping'
      ? 'stopping in an orderly way'
      : phase === 'planning'
        ? 'reading what is missing, for the plan'
        : 'sending'
  return [...head, fit(word), ...(progress === undefined ? [] : progressLines(progress, theme, columns))]
}

function planLines(plan: BackfillPlan): readonly string[] {
  return [
    `events      ${countText(plan.events)} in ${countText(plan.batches)} ${plan.batches === 1 ? 'request' : 'requests'}, ${bytesText(plan.bytes)}`,
    `times       ${plan.oldest ?? '-'} to ${plan.newest ?? '-'}`,
    ...(plan.late > 0
      ? [`late        ${countText(plan.late)} outside what the destination keeps under their own time`]
      : []),
    ...(plan.rejected > 0 ? [`refused     ${countText(plan.rejected)} that can never be delivered`] : []),
    `takes about ${formatDuration(plan.estimatedSeconds * 1000)}`,
  ]
}

function progressLines(progress: Progress, theme: Theme, columns: number): readonly string[] {
  const { phase, delivered = 0, rejected = 0, total = 0, retries = 0, events } = progress
  if (phase === 'scan') return [theme.cut(`${eventsText(events)} compared`, columns)]
  if (phase === 'verify' || phase === 'settle') {
    return [
      theme.cut(`looking in the SIEM: ${countText(events)} of ${countText(total)} not found yet`, columns),
    ]
  }
  const part = total === 0 ? 0 : Math.min(1, (delivered + rejected) / total)
  const width = Math.max(4, Math.min(60, columns - 8))
  const filled = Math.round(part * width)
  const bar = `${(theme.glyphs.bars.at(-1) ?? '#').repeat(filled)}${theme.glyphs.rule.repeat(width - filled)} ${Math.floor(part * 100)}%`
  const words = `${countText(delivered)} of ${eventsText(total)} delivered, ${countText(retries)} retries, ${countText(rejected)} not sent`
  return [theme.paint('good', bar), theme.cut(words, columns)]
}

function doneLines(state: AppState, report: RunReport, theme: Theme, columns: number): readonly string[] {
  const fit = (text: string): string => theme.cell(text, columns)
  const isGood = report.status === 'completed' && report.problems.length === 0
  const counts = [
    `run         ${report.run ?? '-'}  ${report.status}`,
    `scanned     ${countText(report.scanned)}, held already ${countText(report.alreadyHeld)}`,
    `delivered   ${countText(report.delivered)} of ${countText(report.selected)}`,
    ...(report.rejected > 0 ? [`refused     ${countText(report.rejected)}`] : []),
    ...(report.late > 0
      ? [`late        ${countText(report.late)}, archived ${countText(report.archived)}`]
      : []),
    ...(report.unresolved > 0 ? [`unresolved  ${countText(report.unresolved)}`] : []),
    ...(report.duplicatesPossible > 0 ? [`possible duplicates ${countText(report.duplicatesPossible)}`] : []),
  ]
  const problems = report.problems
    .flatMap((problem) => wrapped(problem, columns))
    .map((line) => theme.paint('bad', fit(line)))
  const notes = report.warnings
    .flatMap((warning) => wrapped(warning, columns))
    .map((line) => theme.paint('note', fit(line)))
  const commands =
    report.run === null
      ? []
      : (state.operations?.commands(report.run) ?? []).map((line) => theme.paint('dim', fit(`  ${line}`)))
  return [
    ...counts.map((line, i) => (i === 0 ? theme.paint(isGood ? 'good' : 'bad', fit(line)) : fit(line))),
    ...problems,
    ...notes,
    '',
    ...proofLines(state, report, theme).map(fit),
    '',
    ...commands,
  ]
}

/** Two proofs: every delivered event was looked up, and the whole window was compared again. */
function proofLines({ coverage }: AppState, report: RunReport, theme: Theme): readonly string[] {
  const lookedUp =
    report.verified === null
      ? 'not looked up: the stream cannot be searched'
      : report.verified
        ? `proof: each of ${eventsText(report.delivered)} was found in the SIEM`
        : `not proven: ${eventsText(report.stillMissing ?? 0)} still missing in the SIEM`
  if (coverage === undefined || coverage.failure !== undefined) return [lookedUp]
  if (coverage.isComparing) return [lookedUp, 'comparing the window again']
  const missing = coverage.coverage?.report.missing ?? 0
  const compared =
    missing === 0
      ? 'proof: compared again, and nothing is missing'
      : `compared again: ${eventsText(missing)} still missing`
  return [lookedUp, theme.safe(compared)]
}

function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
