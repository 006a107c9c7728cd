import { type EventFilter, NO_FILTER } from '../../core/filter.ts'
import type { RunQuestion, RunReport } from '../../core/report.ts'
import { commandLine, filterWords } from '../filter-words.ts'
import { COMMANDS } from '../tree.ts'

/** The commands that look at it again, with the window, the filters, the source and the stream of the run. */
export function repeatCommands(report: RunReport, question: RunQuestion | undefined): readonly string[] {
  const ofRun =
    report.run === null
      ? []
      : [
          ['auditctl', 'runs', 'show', report.run],
          ['auditctl', 'verify', report.run],
        ]
  const wanted = report.mode === 'export' ? [exportWords(report, question)] : pairCommands(report, question)
  const rejects =
    report.deadLetter === null || report.run === null ? [] : [['auditctl', 'runs', 'rejects', report.run]]
  return [...wanted, ...ofRun, ...rejects].map(commandLine)
}

function pairCommands(report: RunReport, question: RunQuestion | undefined): readonly (readonly string[])[] {
  const filter = question === undefined ? NO_FILTER : (JSON.parse(question.filter) as EventFilter)
  const pair = [
    ...['--source', report.source, '--stream', report.stream ?? ''],
    ...['--from', report.window.from, '--to', report.window.to],
    ...filterWords(filter),
  ]
  const file = question?.foundBy?.file
  const inventory = file === undefined ? [] : ['--inventory', file]
  const isAll = report.mode === 'all'
  return [
    ['auditctl', 'query', ...pair.filter((_, i) => i !== 2 && i !== 3), '--order', 'asc'],
    ...(isAll ? [] : [['auditctl', 'gaps', ...pair, ...inventory]]),
    ['auditctl', 'backfill', ...pair, ...inventory, isAll ? '--all' : '--missing', '--dry-run'],
  ]
}

/** Where it was written, with the slash of a folder as it was typed. */
export function outOf(report: RunReport, question: RunQuestion | undefined): string | undefined {
  const typed = question?.command?.['out']
  return typeof typed === 'string' && typed !== '' ? typed : report.out
}

/** On unless `--no-…` was typed. */
function isNegated(name: string): boolean {
  const { options = [] } = COMMANDS.find((command) => command.name === 'export') ?? {}
  return options.some(({ flags }) => flags === `--no-${kebab(name)}`)
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** The window is named as it was resolved, so that it is the same one tomorrow. */
const NOT_REPEATED = new Set(['from', 'to', 'since', 'until', 'in', 'overwrite', 'out'])

function exportWords(report: RunReport, question: RunQuestion | undefined): readonly string[] {
  const words = ['auditctl', 'export']
  const { incremental, ...options } = question?.command ?? { source: report.source }
  if (incremental === undefined) words.push('--from', report.window.from, '--to', report.window.to)
  else words.push('--incremental', String(incremental))
  // What was written stays as it is: it is evidence.
  const out = outOf(report, question)
  if (out !== undefined) words.push('--out', out.replace(/(\/?)$/, '.again$1'))
  for (const [name, value] of Object.entries(options)) {
    if (NOT_REPEATED.has(name) || value === undefined) continue
    if (typeof value === 'boolean' && isNegated(name)) {
      if (!value) words.push(`--no-${kebab(name)}`)
      continue
    }
    if (value === false) continue
    const flag = `--${kebab(name)}`
    if (value === true) words.push(flag)
    else for (const one of Array.isArray(value) ? value : [value]) words.push(flag, String(one))
  }
  return words
}
