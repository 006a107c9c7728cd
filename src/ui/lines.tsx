import { Text } from 'ink'
import { memo, type ReactElement } from 'react'

/** One line of the screen, painted already; never wrapped, cut where it is too long all the same. */
export const Line = memo(function Line({ text }: { readonly text: string }): ReactElement {
  // Ink gives an empty text no row.
  return <Text wrap="truncate">{text === '' ? ' ' : text}</Text>
})

export function Lines({
  lines,
  height,
}: {
  readonly lines: readonly string[]
  readonly height: number
}): ReactElement {
  const rows = Array.from({ length: height }, (_, row) => ({ row, text: lines[row] ?? '' }))
  return (
    <>
      {rows.map(({ row, text }) => (
        <Line key={row} text={text} />
      ))}
    </>
  )
}
