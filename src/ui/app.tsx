import { Box, useApp, useInput, usePaste } from 'ink'
import { type ReactElement, useEffect, useSyncExternalStore } from 'react'
import { backfillLines } from './backfill/backfill-lines.ts'
import { coverageLines } from './coverage/coverage-lines.ts'
import { DetailPane } from './detail/view.tsx'
import { EventList, Histogram } from './events/view.tsx'
import { completionsOf } from './filter-line/filter-text.ts'
import { vocabularyOf } from './filter-line/prompts.ts'
import { footerLine, statusLine, titleLine } from './frame-lines.ts'
import { helpLines } from './help/help-lines.ts'
import { Line, Lines } from './lines.tsx'
import { messageOf, pressesOf } from './presses.ts'
import type { AppState } from './state.ts'
import type { Store } from './store.ts'
import type { GiveTerminal } from './suspension.ts'
import type { Theme } from './theme.ts'

/** The whole screen, drawn anew from the state after each message. */
export function App({
  store,
  theme,
  holdTerminal,
}: {
  readonly store: Store
  readonly theme: Theme
  readonly holdTerminal?: (give: GiveTerminal) => void
}): ReactElement {
  const state = useSyncExternalStore(store.subscribe, store.state, store.state)
  const { suspendTerminal } = useApp()
  useEffect(() => holdTerminal?.(suspendTerminal), [holdTerminal, suspendTerminal])
  useInput((input, key) => {
    for (const press of pressesOf(input, key)) {
      // Each of several keys sees what those before it did.
      const message = messageOf(store.state(), press)
      if (message !== undefined) store.dispatch(message)
    }
  })
  usePaste((text) => {
    // Pasted text is no row of commands.
    if (store.state().prompt !== undefined) store.dispatch({ type: 'typed', text })
  })
  return <Screen state={state} theme={theme} />
}

export function Screen({ state, theme }: { readonly state: AppState; readonly theme: Theme }): ReactElement {
  const { size, layout } = state
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      {layout.title > 0 ? <Line text={titleLine(state, theme)} /> : null}
      <Body state={state} theme={theme} />
      {layout.status > 0 || state.prompt !== undefined ? <Line text={statusLine(state, theme)} /> : null}
      {layout.footer > 0 ? <Line text={footerLine(state, theme, completionsFor(state))} /> : null}
    </Box>
  )
}

function Body({ state, theme }: { readonly state: AppState; readonly theme: Theme }): ReactElement {
  const { layout, view } = state
  const height = layout.bars + layout.scale + layout.header + layout.list
  const { columns } = layout
  if (state.isHelpOpen) {
    const lines = helpLines(view, theme, columns)
    const from = Math.max(0, Math.min(state.helpScroll, lines.length - height))
    return <Lines lines={lines.slice(from)} height={height} />
  }
  if (view === 'coverage' && state.coverage !== undefined) {
    return <Lines lines={coverageLines(state, state.coverage, theme, height)} height={height} />
  }
  if (view === 'backfill' && state.backfill !== undefined) {
    return <Lines lines={backfillLines(state, state.backfill, theme)} height={height} />
  }
  return (
    <>
      <Histogram state={state} theme={theme} />
      <ListAndDetail state={state} theme={theme} />
    </>
  )
}

function ListAndDetail({ state, theme }: { readonly state: AppState; readonly theme: Theme }): ReactElement {
  const { layout, view } = state
  if (view !== 'detail') return <EventList state={state} theme={theme} columns={layout.columns} />
  if (!layout.isSideBySide) return <DetailPane state={state} theme={theme} columns={layout.columns} />
  const listColumns = layout.columns - layout.detailColumns - 1
  return (
    <Box width={layout.columns} height={layout.header + layout.list}>
      <Box flexDirection="column" width={listColumns} marginRight={1}>
        <EventList state={state} theme={theme} columns={listColumns} />
      </Box>
      <DetailPane state={state} theme={theme} columns={layout.detailColumns} />
    </Box>
  )
}

function completionsFor(state: AppState): readonly string[] {
  const { prompt } = state
  if (prompt?.kind !== 'filter') return []
  const { text, caret } = prompt.cycle?.typed ?? prompt.line
  return completionsOf(text, caret, vocabularyOf(state)).words
}
