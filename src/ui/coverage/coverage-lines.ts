import { formatDuration } from '../../core/duration.ts'
import type { GapReport } from '../../core/report.ts'
import { resample } from '../events/histogram.ts'
import { failureText } from '../frame-lines.ts'
import type { AppState } from '../state.ts'
import type { Theme } from '../theme.ts'
import { countText, crossesDays, eventsText, timeText, windowText } from '../words.ts'
import type { CoverageState } from './reducer.ts'

const LABEL = 9

/** Source against SIEM over the window, then the gaps one by one. */
export function coverageLines(
  state: AppState,
  coverage: CoverageState,
  theme: Theme,
  height: number,
): readonly string[] {
  const { columns } = state.layout
  if (coverage.stream === undefined) return streamLines(coverage, theme, columns)
  const zone = state.operations?.zone ?? 'UTC'
  const title = theme.paint(
    'bold',
    theme.cell(`${state.operations?.source ?? ''} against ${coverage.stream}`, columns),
  )
  const window = theme.cut(windowText(coverage.query.window, zone, columns), columns)
  const doing = coverage.isComparing
    ? [theme.paint('dim', theme.cut(progressText(coverage, zone), columns))]
    : []
  if (coverage.failure !== undefined) {
    return [
      title,
      window,
      '',
      theme.paint('bad', theme.cell(failureText(coverage.failure), columns)),
      '',
      ...doing,
      'r compares again',
    ]
  }
  const done = coverage.coverage
  if (done === undefined) return [title, window, ...doing]
  const map = mapLines(coverage, theme, columns)
  const words = summaryLines(done.report, theme, columns)
  const head = [title, window, ...doing, ...map, ...words]
  const gaps = gapLines(coverage, theme, { columns, height: Math.max(1, height - head.length), zone })
  return [...head, ...gaps]
}

function streamLines({ streams, selected }: CoverageState, theme: Theme, columns: number): readonly string[] {
  const rows = streams.map(({ name, provider }, i) => {
    const line = theme.cell(`${i === selected ? theme.glyphs.caret : ' '} ${name}  ${provider}`, columns)
    return i === selected ? theme.paint('selected', line) : line
  })
  return [
    theme.paint('bold', theme.cut('Which stream is to be compared with the source?', columns)),
    '',
    ...rows,
  ]
}

function progressText({ progress, query }: CoverageState, zone: string): string {
  if (progress === undefined) return 'comparing'
  const { window } = query
  const part = Math.max(0, Math.min(1, (progress.done - window.from) / Math.max(1, window.to - window.from)))
  return `comparing: ${eventsText(progress.events)}, through ${timeText(progress.done, zone, { width: 19, withDate: true })} (${Math.floor(part * 100)}%)`
}

/** What the source recorded, what the SIEM holds, and where they differ: readable without colour. */
function mapLines({ coverage }: CoverageState, theme: Theme, columns: number): readonly string[] {
  const cells = columns - LABEL
  if (coverage === undefined || cells < 8) return []
  const { glyphs } = theme
  const [recorded, held] = [resample(coverage.recorded, cells), resample(coverage.held, cells)]
  const most = recorded.reduce((max, count) => Math.max(max, count), 0)
  const steps = glyphs.bars.length - 1
  const row = (counts: Float64Array): string =>
    Array.from(counts, (count) =>
      count <= 1e-9 ? ' ' : (glyphs.bars[Math.max(1, Math.round((count / most) * steps))] ?? ' '),
    ).join('')
  const holes = Array.from(recorded, (count, i) => (count - (held[i] ?? 0) > 1e-6 ? glyphs.hole : ' '))
    .join('')
    .trimEnd()
  const missing = holes === '' ? theme.paint('good', 'no holes') : theme.paint('bad', holes)
  return [
    `${'source'.padEnd(LABEL)}${theme.paint('key', row(recorded))}`,
    `${'siem'.padEnd(LABEL)}${theme.paint('good', row(held))}`,
    `${'missing'.padEnd(LABEL)}${missing}`,
  ]
}

function summaryLines(report: GapReport, theme: Theme, columns: number): readonly string[] {
  const { sourceEvents, heldEvents, missing, gaps, tooYoung, unexpected, duplicates, complete, provenUntil } =
    report
  const counts = [
    `${eventsText(sourceEvents)}, ${countText(heldEvents)} held`,
    missing === 0
      ? 'none missing'
      : `${countText(missing)} missing in ${gaps.length === 1 ? '1 gap' : `${countText(gaps.length)} gaps`}`,
    ...(tooYoung > 0 ? [`${countText(tooYoung)} too young to judge`] : []),
    ...((unexpected ?? 0) > 0 ? [`${countText(unexpected ?? 0)} only in the SIEM`] : []),
    ...((duplicates ?? 0) > 0 ? [`${countText(duplicates ?? 0)} held twice`] : []),
  ]
  const proof =
    provenUntil === null
      ? []
      : [
          theme.cut(
            `proven until ${provenUntil}${complete ? ': every event of this window is held' : ''}`,
            columns,
          ),
        ]
  const tone = missing === 0 ? 'good' : 'bad'
  const judged =
    Date.parse(report.judgedTo) < Date.parse(report.window.to)
      ? [
          theme.paint(
            'dim',
            theme.cut(`judged until ${report.judgedTo}: later events may be on their way`, columns),
          ),
        ]
      : []
  return [
    theme.paint(tone, theme.cut(counts.join('; '), columns)),
    ...judged,
    ...proof,
    ...report.warnings.map((warning) => theme.paint('note', theme.cell(warning, columns))),
  ]
}

function gapLines(
  { coverage, selected, query }: CoverageState,
  theme: Theme,
  { columns, height, zone }: { readonly columns: number; readonly height: number; readonly zone: string },
): readonly string[] {
  const gaps = coverage?.report.gaps ?? []
  if (gaps.length === 0) return []
  const withDate = crossesDays(query.window, zone)
  const wide = withDate ? 19 : 12
  const header = theme.paint(
    'dim',
    theme.cut(`  ${'from'.padEnd(wide)}  ${'to'.padEnd(wide)}  ${'lasts'.padEnd(8)}  missing`, columns),
  )
  const room = Math.max(1, height - 1)
  const top = Math.max(0, Math.min(selected - Math.floor(room / 2), gaps.length - room))
  const rows = gaps.slice(top, top + room).map((gap, i) => {
    const [from, to] = [Date.parse(gap.from), Date.parse(gap.to)]
    const time = (ms: number): string => timeText(ms, zone, { width: wide, withDate }).padEnd(wide)
    const text = `${top + i === selected ? theme.glyphs.caret : ' '} ${time(from)}  ${time(to)}  ${formatDuration(to - from).padEnd(8)}  ${countText(gap.missing)}`
    const line = theme.cell(text, columns)
    return top + i === selected ? theme.paint('selected', line) : line
  })
  return [header, ...rows]
}
