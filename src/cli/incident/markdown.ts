import { escapeText } from '../../core/escape-text.ts'

/** Text from outside as a reader sees it: no character of it marks up or ends the line. */
export function plain(text: string): string {
  return escapeText(text)
    .replace(/[\\`*[\]~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('|', '&#124;')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/^(\s*)([#+=-])|^(\s*\d+)([.)])(?=\s|$)/, '$1$3\\$2$4')
}

/** An id, a path or a command. A bar in a code span would end the cell of a table, whatever stands before it. */
export function code(text: string): string {
  if (text.includes('|')) return `<code>${plain(text)}</code>`
  const clean = escapeText(text)
  const fence = '`'.repeat(longestTicks(clean) + 1)
  const space = clean.startsWith('`') || clean.endsWith('`') || clean.trim() === '' ? ' ' : ''
  return `${fence}${space}${clean}${space}${fence}`
}

/** Whole lines as they are; `language` colours them. */
export function block(lines: readonly string[], language = ''): string {
  const clean = lines.flatMap((line) => line.split('\n')).map(escapeText)
  const fence = '`'.repeat(Math.max(3, longestTicks(clean.join('\n')) + 1))
  return [`${fence}${language}`, ...clean, fence].join('\n')
}

/** Cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function longestTicks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
}
