import { fitText } from '../../core/display-width.ts'
import type { AppState } from '../state.ts'
import type { Theme } from '../theme.ts'
import { crossesDays, timeText } from '../words.ts'
import { eventsFrom } from './loaded.ts'

type Columns = {
  readonly time: number
  readonly action: number
  readonly actor: number
  readonly target: number
}

/** The columns that have room side by side; 0 for one that has none. Two blanks stand between them, three signs before them. */
export function listColumns(width: number, withDate: boolean): Columns {
  const room = Math.max(0, width - 2)
  const time = room < 34 ? Math.min(8, room) : withDate ? (room >= 100 ? 19 : 14) : 12
  const rest = room - time
  if (rest < 26) return { time, action: Math.max(0, rest - 1), actor: 0, target: 0 }
  if (rest < 50) {
    const action = Math.floor((rest - 4) * 0.55)
    return { time, action, actor: rest - 4 - action, target: 0 }
  }
  const action = Math.min(36, Math.floor((rest - 6) * 0.37))
  const actor = Math.min(48, Math.floor((rest - 6) * 0.36))
  return { time, action, actor, target: rest - 6 - action - actor }
}

export function headerLine(state: AppState, theme: Theme, width: number): string {
  const { query } = state.events
  const zone = state.operations?.zone ?? 'UTC'
  const columns = listColumns(width, crossesDays(query.window, zone))
  return theme.paint(
    'dim',
    joined(columns, { time: 'time', action: 'action', actor: 'actor', target: 'target' }, (text, wide) =>
      fitText(text, wide),
    ),
  )
}

/** The rows of the list that stand on the screen. */
export function listLines(state: AppState, theme: Theme, width: number): readonly string[] {
  const { events, operations, marks, view, layout } = state
  const zone = operations?.zone ?? 'UTC'
  const withDate = crossesDays(events.query.window, zone)
  const columns = listColumns(width, withDate)
  return eventsFrom(events.loaded, events.top, layout.list).map((event, row) => {
    const said = operations?.row(event) ?? { action: '', actor: '', target: '' }
    const isSelected = events.top + row === events.selected
    const time = timeText(event.ms, zone, { width: columns.time, withDate })
    const tone = theme.toneOf(said.action)
    const cells = joined(columns, { ...said, time }, (text, wide, name) => {
      const cell = theme.cell(text, wide)
      return name === 'action' && !isSelected ? theme.paint(tone, cell) : cell
    })
    const signs = `${isSelected ? theme.glyphs.caret : ' '}${marks.has(event.id) ? theme.glyphs.mark : ' '}`
    const line = signs + cells.slice(2)
    if (!isSelected) return line
    return view === 'detail' ? theme.paint('bold', line) : theme.paint('selected', line)
  })
}

function joined(
  columns: Columns,
  texts: Readonly<Record<keyof Columns, string>>,
  cell: (text: string, width: number, name: keyof Columns) => string,
): string {
  const names = (['time', 'action', 'actor', 'target'] as const).filter((name) => columns[name] > 0)
  const gap = columns.actor === 0 ? ' ' : '  '
  return `  ${names.map((name) => cell(texts[name], columns[name], name)).join(gap)}`
}
