import type { ReactElement } from 'react'
import { Line, Lines } from '../lines.tsx'
import type { AppState } from '../state.ts'
import type { Theme } from '../theme.ts'
import { histogramLines } from './histogram-lines.ts'
import { headerLine, listLines } from './list-lines.ts'

type Props = { readonly state: AppState; readonly theme: Theme }

export function Histogram({ state, theme }: Props): ReactElement {
  const { bars, scale } = state.layout
  return <Lines lines={histogramLines(state, theme)} height={bars + scale} />
}

export function EventList({ state, theme, columns }: Props & { readonly columns: number }): ReactElement {
  const { layout, events } = state
  const isEmpty = events.loaded.count === 0
  const rows = isEmpty
    ? [theme.paint('dim', theme.cut(`  ${emptyText(state)}`, columns))]
    : listLines(state, theme, columns)
  return (
    <>
      {layout.header > 0 ? <Line text={headerLine(state, theme, columns)} /> : null}
      <Lines lines={rows} height={layout.list} />
    </>
  )
}

function emptyText({ operations, events }: AppState): string {
  if (operations === undefined) return 'opening the source'
  if (events.failure !== undefined) return 'nothing could be read: r tries again'
  if (events.loading !== undefined) return 'reading'
  return events.hasNewer
    ? 'nothing earlier in this window: g goes to its newest event'
    : 'no events in this window: - widens it'
}
