import { closeSync, openSync, writeSync } from 'node:fs'
import { UserError } from '../core/errors.ts'
import type { AuditEvent } from '../core/event.ts'
import type { EventFilter } from '../core/filter.ts'
import type { GapReport } from '../core/report.ts'
import type { TimeRange } from '../core/time-range.ts'
import { coverageMap } from './coverage-map.ts'
import { commandLine, filterWords } from './filter-words.ts'
import type { OutputFormat } from './flags.ts'
import { type Invocation, textOption, typedOption } from './invocation.ts'
import { formatRows, printRows, type Row } from './print-rows.ts'
import type { Runtime } from './runtime.ts'
import { withTimes } from './time-text.ts'

const MAX_TABLE_ROWS = 20

export type GapPrinter = {
  readonly onEvent: (event: AuditEvent, isMissing: boolean) => void
  readonly onCell: (range: TimeRange, events: number, held: number) => void
  finish(report: GapReport, output: OutputFormat | undefined): Promise<void>
}

/** Collects what `gaps` shows while it runs, and prints it: a map and a table on a terminal, the report's JSON in a pipe. */
export function gapPrinter(
  invocation: Invocation,
  runtime: Runtime,
  window: TimeRange,
  filter: EventFilter,
): GapPrinter {
  const map = coverageMap(window, runtime.io.columns)
  const ids = idsFile(textOption(invocation, 'idsOut'))
  runtime.onExit(() => ids?.close())
  return {
    onEvent(event, isMissing) {
      map.addEvent(event.occurredAtMs, !isMissing)
      if (isMissing) ids?.write(event.id)
    },
    onCell: (range, events, held) => map.add(range, events, held),
    async finish(report, output) {
      const format = output ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
      if (runtime.quiet && output === undefined && report.missing === 0) return
      if (format === 'json') await runtime.output.write(`${JSON.stringify(report)}\n`)
      else if (format === 'jsonl') await printRows(report.gaps, [], format, runtime)
      else if (format === 'csv')
        await runtime.output.write(
          formatRows(report.gaps, ['from', 'to', 'missing', 'firstId', 'lastId'], 'csv'),
        )
      else {
        const width = runtime.io.stdoutIsTerminal ? runtime.io.columns : undefined
        const refill = refillCommand(report, filter, invocation)
        const gaps = withTimes(report.gaps.slice(0, MAX_TABLE_ROWS), ['from', 'to'], invocation, runtime)
        const drawn = map.draw({ color: runtime.color })
        await runtime.output.write(gapText(report, gaps, drawn, refill, width))
      }
    },
  }
}

function gapText(
  report: GapReport,
  gaps: readonly Row[],
  map: string,
  refill: string,
  width: number | undefined,
): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  const lines = [map]
  if (report.gaps.length > 0) {
    const rows = gaps.map((gap) => ({
      ...gap,
      missing: number(Number(gap['missing'])),
      firstId: gap['firstId'] ?? '-',
      lastId: gap['lastId'] ?? '-',
    }))
    lines.push(formatRows(rows, ['from', 'to', 'missing', 'firstId', 'lastId'], 'table', width).trimEnd())
    if (report.gaps.length > MAX_TABLE_ROWS)
      lines.push(`… and ${number(report.gaps.length - MAX_TABLE_ROWS)} more gaps (-o jsonl lists all)`)
    lines.push('')
  }
  const extras = [
    report.duplicates ? `${number(report.duplicates)} held more than once` : '',
    report.unexpected ? `${number(report.unexpected)} held but not in the source` : '',
    report.tooYoung > 0 ? `${number(report.tooYoung)} too young to judge` : '',
  ].filter((text) => text !== '')
  lines.push(
    `${number(report.sourceEvents)} events in the source, ${number(report.heldEvents)} held, ${number(report.missing)} missing in ${number(report.gaps.length)} ${report.gaps.length === 1 ? 'gap' : 'gaps'}${extras.length > 0 ? `; ${extras.join(', ')}` : ''}`,
  )
  if (report.provenUntil !== null) lines.push(`proven until ${report.provenUntil}`)
  if (report.missing > 0) {
    lines.push('', 'Refill it with:', `  ${refill}`)
  }
  return `${lines.join('\n')}\n`
}

/** The command that refills what was found, as it can be pasted. */
export function refillCommand(report: GapReport, filter: EventFilter, invocation: Invocation): string {
  const first = report.gaps[0]?.from ?? report.window.from
  const last = report.gaps.at(-1)?.to ?? report.judgedTo
  const words = [
    ...['auditctl', 'backfill', '--source', report.source, '--stream', report.stream],
    ...['--from', first, '--to', last],
    ...filterWords(filter),
    ...['--missing', '--verify'],
  ]
  for (const name of ['config', 'inventory', 'inventoryField', 'inventoryWindow'] as const) {
    const value = typedOption(invocation, name)
    if (value !== undefined)
      words.push(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, value)
  }
  return commandLine(words)
}

function idsFile(path: string | undefined): { write(id: string): void; close(): void } | undefined {
  if (path === undefined) return undefined
  let fd: number
  try {
    fd = openSync(path, 'w', 0o600)
  } catch (cause) {
    throw new UserError(`--ids-out: ${path} cannot be written`, { cause })
  }
  let lines: string[] = []
  const flush = (): void => {
    if (lines.length > 0) writeSync(fd, `${lines.join('\n')}\n`)
    lines = []
  }
  return {
    write(id) {
      lines.push(id.replace(/[\r\n]/g, ''))
      if (lines.length >= 10_000) flush()
    },
    close() {
      flush()
      closeSync(fd)
    },
  }
}
