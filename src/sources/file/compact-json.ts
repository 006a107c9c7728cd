const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/**
 * Copies the JSON value `from[start, end)` without the whitespace between its tokens to `into` at `at`, and returns the index after it.
 * Everything else stays as it was spelled: numbers, escapes, the order of keys and repeated ones. `into` must have room for `end - start` bytes.
 */
export function compactJson(
  from: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
): number {
  let to = at
  let isInString = false
  for (let i = start; i < end; i += 1) {
    const c = from[i] as number
    if (!isInString && c <= SPACE) continue
    into[to] = c
    to += 1
    if (c === QUOTE) isInString = !isInString
    else if (c === BACKSLASH && isInString) {
      i += 1
      into[to] = from[i] as number
      to += 1
    }
  }
  return to
}
