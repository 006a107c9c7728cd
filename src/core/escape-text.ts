/**
 * What must never reach a person's terminal as it is: control characters (with ANSI sequences and 8-bit ones), marks and overrides of
 * writing direction, line and paragraph separators, invisible characters that hide text in text, and halves of surrogate pairs. Joiners
 * stay, since emoji and scripts need them.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text from outside in a form that cannot move a cursor, change a colour or turn what is around it: `\n`, `\x1b`, `\u202e`. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? spelled(character.codePointAt(0) ?? 0))
}

/** The same for lines of data that a person looks at: line ends and tabs stay, and what was JSON is still the same JSON. */
export function escapeData(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (Object.hasOwn(SHORT, character)) return character
    return [...Array(character.length).keys()]
      .map((n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`)
      .join('')
  })
}

function spelled(code: number): string {
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\u{${code.toString(16)}}`
}
