import type { LineMessage } from '../messages.ts'

/** A line of text being typed; the caret stands before the character (a whole grapheme) at that index of the text. */
export type Line = { readonly text: string; readonly caret: number }

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const MOST_TYPED = 4096

export function lineOf(text: string): Line {
  return { text, caret: text.length }
}

export function editLine(line: Line, message: LineMessage): Line {
  const { text, caret } = line
  switch (message.type) {
    case 'typed':
      return insert(line, message.text)
    case 'erase': {
      const from =
        message.what === 'line' ? 0 : message.what === 'word' ? wordStart(text, caret) : before(text, caret)
      return { text: text.slice(0, from) + text.slice(caret), caret: from }
    }
    case 'caret': {
      const places = { left: before(text, caret), right: after(text, caret), start: 0, end: text.length }
      return { text, caret: places[message.to] }
    }
    default:
      return line
  }
}

/** A paste comes as it is: line breaks and other controls become blanks. */
function insert({ text, caret }: Line, typed: string): Line {
  const clean = typed
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .slice(0, MOST_TYPED - text.length)
  return { text: text.slice(0, caret) + clean + text.slice(caret), caret: caret + clean.length }
}

function before(text: string, caret: number): number {
  let start = 0
  for (const { index } of graphemes.segment(text.slice(0, caret))) start = index
  return start
}

function after(text: string, caret: number): number {
  const [next] = graphemes.segment(text.slice(caret))
  return caret + (next?.segment.length ?? 0)
}

function wordStart(text: string, caret: number): number {
  return text.slice(0, caret).replace(/\S*\s*$/u, '').length
}
