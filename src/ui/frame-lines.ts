import { displayWidth } from '../core/display-width.ts'
import { isFiltered } from '../core/filter.ts'
import { filterTextOf } from './filter-line/filter-text.ts'
import { HELP_KEYS, KEYS, type KeyBinding, shownKey } from './keys.ts'
import type { Failure } from './messages.ts'
import type { AppState } from './state.ts'
import type { Theme } from './theme.ts'
import { countText, eventsText, windowText } from './words.ts'

/** Source, window and how much is in it. */
export function titleLine(state: AppState, theme: Theme): string {
  const { columns } = state.layout
  const { events, counts, operations, drilledFrom } = state
  if (operations === undefined) return theme.paint('bold', theme.cut('auditctl', columns))
  const name = `${theme.safe(operations.source)}${drilledFrom === undefined ? '' : ' gap'}`
  const total = totalText(state)
  const room = columns - displayWidth(name) - total.length - 4
  const window = room >= 5 ? windowText(events.query.window, operations.zone, room) : ''
  const left = `${theme.paint('bold', theme.cut(name, columns))}${window === '' ? '' : `  ${window}`}`
  const used = displayWidth(name) + (window === '' ? 0 : 2 + window.length)
  const blanks = columns - used - total.length
  if (blanks < 1) return left
  return `${left}${' '.repeat(blanks)}${theme.paint(counts.isWhole ? 'bold' : 'dim', total)}`
}

function totalText({ counts, events }: AppState): string {
  if (counts.step === undefined) return events.loaded.count === 0 ? '' : `${countText(events.loaded.count)}+`
  return counts.isWhole ? eventsText(counts.step.total) : `${countText(counts.step.total)}+ counting`
}

/** What is going on: what is typed, what failed, what was said, else the filter and the marks. */
export function statusLine(state: AppState, theme: Theme): string {
  const { columns } = state.layout
  const { prompt, failure, notice, events } = state
  if (prompt !== undefined) return promptLine(state, theme)
  const failed = failure ?? (state.view === 'events' || state.view === 'detail' ? events.failure : undefined)
  if (failed !== undefined) return theme.paint('bad', theme.cell(failureText(failed), columns))
  if (notice !== undefined)
    return theme.paint(notice.level === 'warning' ? 'note' : 'good', theme.cell(notice.text, columns))
  const { filter } = events.query
  const parts = [
    ...(state.marks.size > 0 ? [`${countText(state.marks.size)} marked`] : []),
    ...(events.isFollowing ? ['following'] : []),
    ...(events.loading === undefined ? [] : ['reading']),
  ]
  const right = parts.join('  ')
  const left = isFiltered(filter) ? filterTextOf(filter) : ''
  const room = Math.max(0, columns - displayWidth(right) - 1)
  return `${theme.paint('key', theme.cell(left, room))} ${theme.paint('bold', theme.cut(right, columns))}`
}

export function failureText({ message, hint }: Failure): string {
  return hint === undefined ? message : `${message} (${hint})`
}

function promptLine({ prompt, layout }: AppState, theme: Theme): string {
  const label = prompt?.kind === 'export' ? 'write to: ' : 'filter: '
  const { text, caret } = prompt?.line ?? { text: '', caret: 0 }
  const room = Math.max(1, layout.columns - label.length - 1)
  const before = theme.safe(text.slice(0, caret))
  const [under = ' '] =
    theme.safe(text.slice(caret, caret + 2)) === ''
      ? [' ']
      : [...new Intl.Segmenter().segment(theme.safe(text.slice(caret)))].map(({ segment }) => segment)
  const after = theme.safe(text.slice(caret)).slice(under === ' ' && text.length === caret ? 0 : under.length)
  // The end of what stands before the caret stays in sight.
  const shownBefore = lastColumns(before, room - displayWidth(under))
  const rest = theme.cut(after, Math.max(0, room - displayWidth(shownBefore) - displayWidth(under)))
  return `${theme.paint('bold', label)}${shownBefore}${theme.paint('selected', under)}${rest}`
}

function lastColumns(text: string, width: number): string {
  let shown = text
  while (shown !== '' && displayWidth(shown) > width) shown = shown.slice(1)
  return shown
}

/** The keys worth knowing here; completions while a filter is typed. */
export function footerLine(state: AppState, theme: Theme, completions: readonly string[]): string {
  const { columns } = state.layout
  const { prompt } = state
  if (prompt?.failure !== undefined)
    return theme.paint('bad', theme.cell(failureText(prompt.failure), columns))
  if (prompt?.kind === 'filter') return completionLine(completions, prompt.cycle?.index, theme, columns)
  if (prompt?.kind === 'export') {
    const count = state.marks.size > 0 ? `${eventsText(state.marks.size)} marked` : 'the selected event'
    return theme.paint(
      'dim',
      theme.cut(`${count}, ${state.detail.shape}; .csv writes CSV; Enter writes, Esc leaves`, columns),
    )
  }
  let line = ''
  let used = 0
  for (const { keys, hint } of bindingsOf(state)) {
    if (hint === undefined) continue
    const key = shownKey(keys[0] ?? '')
    const width = key.length + hint.length + 3
    if (used + width > columns + 2) break
    line += `${theme.paint('bold', key)} ${theme.paint('dim', hint)}  `
    used += width
  }
  return line.trimEnd()
}

/** Help and quit first: they are the ones that must be seen however narrow the terminal is. Then what makes sense here. */
function bindingsOf({ view, isHelpOpen, backfill, coverage, drilledFrom }: AppState): readonly KeyBinding[] {
  const phase = backfill?.phase
  const missing = coverage?.isComparing === false ? (coverage.coverage?.report.missing ?? 0) : 0
  const idle: Partial<Record<string, boolean>> = {
    answer: phase !== 'asking',
    fill: missing === 0,
    drill: coverage?.stream !== undefined && missing === 0,
    'compare-again': coverage?.stream === undefined,
  }
  if (isHelpOpen) return HELP_KEYS
  const hinted = KEYS[view].filter(({ hint, message }) => hint !== undefined && idle[message.type] !== true)
  const last = hinted.filter(({ keys }) => keys[0] === '?' || keys[0] === 'q')
  const back = KEYS[view].find(({ message }) => message.type === 'back')
  const isGap = view === 'events' && drilledFrom !== undefined && back !== undefined
  const toCoverage = isGap ? [{ ...back, hint: 'coverage again' }] : []
  const rest = hinted.filter(
    (binding) => !last.includes(binding) && !(isGap && binding.message.type === 'open-coverage'),
  )
  return [...last, ...toCoverage, ...rest]
}

function completionLine(
  words: readonly string[],
  chosen: number | undefined,
  theme: Theme,
  columns: number,
): string {
  if (words.length === 0)
    return theme.paint('dim', theme.cut('event:TYPE  actor:WHO  path:/PREFIX  a.b=c  a.b~regex', columns))
  let line = ''
  let used = 0
  const first = chosen === undefined ? 0 : Math.max(0, chosen - 2)
  for (const [i, word] of words.slice(first).entries()) {
    const text = theme.cell(word, Math.min(displayWidth(theme.safe(word)), Math.max(4, columns - used)))
    if (used + displayWidth(text) > columns) break
    line += `${i + first === chosen ? theme.paint('selected', text) : theme.paint('key', text)}  `
    used += displayWidth(text) + 2
  }
  return line.trimEnd()
}
