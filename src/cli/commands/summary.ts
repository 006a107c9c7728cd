import { displayWidth, fitText, truncate } from '../../core/display-width.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import type { SummaryBy } from '../../core/source.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { type Summary, summarize } from '../../operations/summary.ts'
import { settingsFor } from '../entry-actions.ts'
import { announceWindow, filterFlags, outputFlag, settleOf, timeContext, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import type { Runtime } from '../runtime.ts'

const KEYS: readonly SummaryBy[] = [
  'action',
  'actor',
  'actor-type',
  'outcome',
  'path',
  'project',
  'ip',
  'hour',
  'day',
]
const MOST_BARS = 40

/** `auditctl summary`: how much of what; bars on a terminal. */
export async function summaryCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const by = keysOf(invocation)
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: 30 * DAY_MS,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
    cuts: true,
  })
  const filter = filterFlags(invocation, source.shape, runtime)
  announceWindow(runtime, window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, { window, filter, order: 'asc' }, invocation)
  }
  const onWarnings = (warnings: readonly string[]): void => {
    for (const warning of warnings) runtime.log.warn(warning)
  }
  const { zone } = timeContext(invocation, runtime)
  const summary = await summarize(
    { source, signal: runtime.signal, concurrency: concurrencyOf(invocation), onWarnings },
    window,
    filter,
    by,
    zone,
  )
  const format = outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
  await runtime.output.write(
    format === 'csv' ? await csvOf(summary, by) : textOf(summary, by, zone, format, runtime),
  )
  return EXIT.done
}

function keysOf(invocation: Invocation): readonly SummaryBy[] {
  const names = (textOption(invocation, 'by') ?? 'action').split(',').map((name) => name.trim())
  const wrong = names.find((name) => !KEYS.includes(name as SummaryBy))
  if (wrong === undefined) return names as readonly SummaryBy[]
  throw new UserError(`--by ${JSON.stringify(wrong)} is not a key`, {
    hint: `choose from ${KEYS.join(', ')}`,
  })
}

function textOf(
  summary: Summary,
  by: readonly SummaryBy[],
  zone: string,
  format: string,
  runtime: Runtime,
): string {
  if (format === 'json') return `${JSON.stringify(summary)}\n`
  if (format === 'jsonl') return summary.groups.map((group) => `${JSON.stringify(group)}\n`).join('')
  return bars(summary, by, zone, runtime.io.columns)
}

/** csv-stringify is loaded only where CSV was asked for. */
async function csvOf(summary: Summary, by: readonly SummaryBy[]): Promise<string> {
  const { csvText } = await import('../../formats/csv.ts')
  const rows = summary.groups.map(({ key, count }) => [...by.map((name) => key[name] ?? ''), count])
  return csvText([...by, 'count'], rows)
}

function bars(summary: Summary, by: readonly SummaryBy[], zone: string, columns: number): string {
  const shown = summary.groups.slice(0, MOST_BARS)
  const most = Math.max(1, ...shown.map(({ count }) => count))
  const names = shown.map(({ key }) => escapeText(by.map((name) => key[name] ?? '').join('  ')))
  const digits = Math.max(5, ...shown.map(({ count }) => count.toLocaleString('en-US').length))
  const width = Math.min(Math.max(8, ...names.map(displayWidth)), Math.max(8, Math.floor(columns / 2)))
  const room = Math.max(1, columns - width - digits - 4)
  const lines = shown.map(({ count }, i) => {
    const bar = '#'.repeat(Math.max(1, Math.round((count / most) * room)))
    return `${fitText(truncate(names[i] ?? '', width), width)}  ${count.toLocaleString('en-US').padStart(digits)}  ${bar}`
  })
  const rest = summary.groups.length - shown.length
  if (rest > 0) lines.push(`… and ${rest.toLocaleString('en-US')} more groups (-o csv lists all)`)
  const where = by.some((name) => name === 'hour' || name === 'day') ? ` (${zone})` : ''
  lines.push(`${summary.total.toLocaleString('en-US')} events by ${by.join(', ')}${where}`)
  return `${lines.join('\n')}\n`
}
