import { actionFamily } from '../core/action-family.ts'
import { displayWidth, fitText, truncate } from '../core/display-width.ts'
import { escapeText } from '../core/escape-text.ts'

export type Tone =
  | 'dim'
  | 'bold'
  | 'selected'
  | 'good'
  | 'bad'
  | 'note'
  | 'key'
  | 'create'
  | 'update'
  | 'delete'
  | 'read'
  | 'login'
  | 'other'

export type ThemeOptions = {
  readonly color: boolean
  /** Whether the terminal shows UTF-8; else everything beyond ASCII becomes `?`, for its bytes could be controls there. */
  readonly unicode: boolean
}

export type Glyphs = {
  readonly bars: readonly string[]
  readonly uncounted: string
  readonly pointer: string
  readonly mark: string
  readonly caret: string
  readonly rule: string
  readonly hole: string
  readonly ellipsis: string
}

/** How text looks: its colours, its signs, and what it is made safe by. Lines are strings with SGR codes that Ink passes on. */
export type Theme = {
  readonly glyphs: Glyphs
  paint(tone: Tone, text: string): string
  /** Text from outside, so that it cannot move the cursor. */
  safe(text: string): string
  /** The same in exactly `width` columns. */
  cell(text: string, width: number, align?: 'left' | 'right'): string
  /** Our own words in at most `width` columns. */
  cut(text: string, width: number): string
  toneOf(action: string): Tone
}

/** Inverse, bold and dim stay without colour: they are what shows where one is. No yellow, no white, no bright ones: they vanish on light backgrounds. */
const PLAIN: Partial<Record<Tone, readonly [string, string]>> = {
  dim: ['\x1b[2m', '\x1b[22m'],
  bold: ['\x1b[1m', '\x1b[22m'],
  selected: ['\x1b[7m', '\x1b[27m'],
}
const COLORED: Partial<Record<Tone, readonly [string, string]>> = {
  ...PLAIN,
  good: ['\x1b[32m', '\x1b[39m'],
  bad: ['\x1b[31m', '\x1b[39m'],
  note: ['\x1b[35m', '\x1b[39m'],
  key: ['\x1b[36m', '\x1b[39m'],
  create: ['\x1b[32m', '\x1b[39m'],
  update: ['\x1b[34m', '\x1b[39m'],
  delete: ['\x1b[31m', '\x1b[39m'],
  read: ['\x1b[36m', '\x1b[39m'],
  login: ['\x1b[35m', '\x1b[39m'],
}

const UNICODE: Glyphs = {
  bars: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  uncounted: '·',
  pointer: '▲',
  mark: '●',
  caret: '›',
  rule: '─',
  hole: '✗',
  ellipsis: '…',
}
const ASCII: Glyphs = {
  bars: [' ', '.', ':', '-', '=', '+', '*', '%', '#'],
  uncounted: '.',
  pointer: '^',
  mark: '*',
  caret: '>',
  rule: '-',
  hole: 'x',
  ellipsis: '~',
}

/** The glyphs of both sets that stand for themselves on a screen of the other. */
export function createTheme({ color, unicode }: ThemeOptions): Theme {
  const codes = color ? COLORED : PLAIN
  const shown = unicode ? (text: string) => text : asciiOf
  const safe = (text: string): string => shown(escapeText(text))
  return {
    glyphs: unicode ? UNICODE : ASCII,
    paint(tone, text) {
      const pair = codes[tone]
      return pair === undefined || text === '' ? text : pair[0] + text + pair[1]
    },
    safe,
    cell: (text, width, align) => shown(fitText(safe(text), Math.max(0, width), align)),
    cut: (text, width) => shown(truncate(text, Math.max(0, width))),
    toneOf: actionFamily,
  }
}

/** Whether the environment's locale is of UTF-8; a locale that is not set at all says nothing against it. */
export function isUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  )
  return locale === undefined || /utf-?8/i.test(locale)
}

/** Each character beyond ASCII as `?`, in as many columns as it had. */
function asciiOf(text: string): string {
  return text.replaceAll('…', '~').replace(/[^\x00-\x7f]+/g, (part) => '?'.repeat(displayWidth(part)))
}
