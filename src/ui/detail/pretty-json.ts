/**
 * JSON over several lines, indented, every value spelled as it came: numbers beyond what a double holds, key order and repeated keys stay.
 * Text that is no JSON comes back as it is.
 */
export function prettyJson(text: string): readonly string[] {
  const lines: string[] = []
  let line = ''
  let depth = 0
  const breakLine = (): void => {
    lines.push(line)
    line = '  '.repeat(Math.min(depth, 40))
  }
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s"{}[\],:]+/gs)
  let before = ''
  for (const [token] of tokens) {
    if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1)
      const isEmpty = (before === '{' && token === '}') || (before === '[' && token === ']')
      if (!isEmpty) breakLine()
      line += token
    } else {
      if (before === '{' || before === '[' || before === ',') breakLine()
      line += token === ':' ? ': ' : token
      if (token === '{' || token === '[') depth += 1
    }
    before = token
  }
  lines.push(line)
  return lines
}
