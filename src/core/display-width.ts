/** How wide text stands on a terminal, in columns, for text that `escapeText` has been through. */

let segmenter: Intl.Segmenter | undefined
const ELLIPSIS = '…'
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Regional_Indicator}{2}/u
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u

/**
 * First and last code points of two columns, emoji apart.
 * @source https://www.unicode.org/Public/16.0.0/ucd/EastAsianWidth.txt, classes W and F
 */
const WIDE = [
  0x1100, 0x115f, 0x2329, 0x232a, 0x2630, 0x2637, 0x268a, 0x268f, 0x2e80, 0x303e, 0x3041, 0x3247, 0x3250,
  0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff01, 0xff60,
  0xffe0, 0xffe6, 0x16fe0, 0x18dff, 0x1aff0, 0x1b2ff, 0x1d300, 0x1d376, 0x1f200, 0x1f320, 0x20000, 0x3fffd,
] as const

/** Columns of the text: two for ideographs and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment)
  return width
}

/** The text, or as much of it as leaves room for `…`, in at most `width` columns. Never cuts a character in two. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  if (width < 1) return ''
  let kept = ''
  let room = width - 1
  for (const { segment } of graphemes(text)) {
    room -= graphemeWidth(segment)
    if (room < 0) break
    kept += segment
  }
  return kept + ELLIPSIS
}

/** The text in exactly `width` columns: truncated or with blanks added, behind it or in front of it. */
export function fitText(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, width)
  const blanks = ' '.repeat(width - displayWidth(cut))
  return align === 'left' ? cut + blanks : blanks + cut
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7e) return false
  return true
}

function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0
  if (code < 0x300 && grapheme.length === 1) return 1
  if (EMOJI.test(grapheme)) return 2
  if (NO_WIDTH.test(grapheme)) return 0
  for (let i = 0; i < WIDE.length; i += 2) {
    if (code >= (WIDE[i] as number) && code <= (WIDE[i + 1] as number)) return 2
  }
  return 1
}

/** Made on first use: it costs as much as loading a large package, and most commands draw no table. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}
