export type Size = { readonly columns: number; readonly rows: number }

/** Which rows of the screen show what; 0 where a terminal has no room for it. */
export type Layout = {
  readonly columns: number
  readonly title: number
  /** The bars, without their scale. */
  readonly bars: number
  readonly scale: number
  readonly header: number
  readonly list: number
  readonly status: number
  readonly footer: number
  /** Beside the list where the terminal is wide, else in its place. */
  readonly detailColumns: number
  readonly isSideBySide: boolean
}

const WIDE_ENOUGH = 140

export function layoutOf({ columns, rows }: Size): Layout {
  const title = rows >= 4 ? 1 : 0
  const status = rows >= 3 ? 1 : 0
  const footer = rows >= 8 ? 1 : 0
  const header = rows >= 10 ? 1 : 0
  const bars = rows >= 36 ? 5 : rows >= 20 ? 3 : rows >= 14 ? 1 : 0
  const scale = bars > 0 ? 1 : 0
  const list = Math.max(1, rows - title - status - footer - header - bars - scale)
  const isSideBySide = columns >= WIDE_ENOUGH
  return {
    columns,
    title,
    bars,
    scale,
    header,
    list,
    status,
    footer,
    isSideBySide,
    detailColumns: isSideBySide ? Math.floor(columns / 2) : columns,
  }
}
