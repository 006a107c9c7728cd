import { escapeText } from './escape-text.ts'

/** Quoted for a POSIX shell wherever it must be; control characters cannot survive. For commands that a person may paste. */
export function shellWord(word: string): string {
  const clean = escapeText(word)
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`
}
