const QUOTE = '"'

/**
 * The cells of one CSV row.
 * Undefined when a quote is not closed, or something other than a delimiter follows a closing one.
 */
export function cellsOf(row: string, delimiter: string): string[] | undefined {
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (row[at] === QUOTE) {
      const end = closingQuote(row, at + 1)
      if (end < 0 || (end + 1 < row.length && row[end + 1] !== delimiter)) return undefined
      const text = row.slice(at + 1, end)
      cells.push(text.includes(QUOTE) ? text.replaceAll('""', QUOTE) : text)
      at = end + 1
    } else {
      const end = row.indexOf(delimiter, at)
      cells.push(end < 0 ? row.slice(at) : row.slice(at, end))
      at = end < 0 ? row.length : end
    }
    if (at >= row.length) return cells
    at += 1
  }
}

function closingQuote(row: string, from: number): number {
  let at = row.indexOf(QUOTE, from)
  while (at >= 0 && row[at + 1] === QUOTE) at = row.indexOf(QUOTE, at + 2)
  return at
}

/** The character between the cells of a header row: a comma, or what some locales and spreadsheets write instead. */
export function delimiterOf(header: string): ',' | ';' | '\t' {
  if (header.includes(',')) return ','
  return header.includes(';') ? ';' : header.includes('\t') ? '\t' : ','
}

/** Takes back the apostrophe that the formula guard of an export puts before a cell which a spreadsheet would run. */
export function unguarded(cell: string): string {
  return cell.charCodeAt(0) === 0x27 && /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell
}
