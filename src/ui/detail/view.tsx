import { Box } from 'ink'
import type { ReactElement } from 'react'
import { Lines } from '../lines.tsx'
import { type AppState, detailHeight } from '../state.ts'
import type { Theme } from '../theme.ts'

type Props = { readonly state: AppState; readonly theme: Theme; readonly columns: number }

export function DetailPane({ state, theme, columns }: Props): ReactElement {
  return (
    <Box flexDirection="column" width={columns}>
      <Lines lines={detailPaneLines(state, theme, columns)} height={detailHeight(state)} />
    </Box>
  )
}

/** The shape's name and how far one has scrolled, then the JSON. */
export function detailPaneLines(state: AppState, theme: Theme, columns: number): readonly string[] {
  const { detail, marks } = state
  const height = detailHeight(state)
  if (detail.event === undefined) return []
  const name = {
    native: 'native, as the source gave it',
    stream: 'as it would have been streamed',
    common: 'common to all sources',
  }[detail.shape]
  const part =
    detail.lines.length > height - 1
      ? `  ${Math.min(detail.lines.length, detail.scroll + height - 1)}/${detail.lines.length}`
      : ''
  const mark = marks.has(detail.event.id) ? `${theme.glyphs.mark} ` : ''
  const title = theme.paint('bold', theme.cut(`${mark}${name}${part}`, columns))
  const shown = detail.lines.slice(detail.scroll, detail.scroll + height - 1)
  return [title, ...shown.map((line) => paintedJson(theme.cut(line, columns), theme))]
}

function paintedJson(line: string, theme: Theme): string {
  const [, indent = '', key = '', rest = ''] = /^(\s*)("(?:[^"\\]|\\.)*")(:.*)$/s.exec(line) ?? []
  return key === '' ? line : `${indent}${theme.paint('key', key)}${rest}`
}
