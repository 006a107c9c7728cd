import { skipSpace } from './json-members.ts'
import { found, scanEvent } from './json-scan.ts'
import { type EventSpans, isUtf8 } from './json-slice.ts'
import { SpanList } from './span-list.ts'

const NEWLINE = 0x0a
const OPEN_BRACE = 0x7b
const encoder = new TextEncoder()
const NOTHING = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }

export type LineOptions = { readonly idKey: string; readonly timeKey: string }

/**
 * One span for each line of the block that is not blank, without the blanks around it. `lines` counts from 0 and counts blank lines too.
 * A line that is not UTF-8 or not one balanced object has an id of -1, as has an object without a plain id: parse it to learn which.
 * The last line needs no newline; cut blocks at line ends (`readLineBlocks`).
 */
export function sliceLines(
  block: Uint8Array,
  options: LineOptions,
): { readonly spans: EventSpans; readonly lines: Int32Array; readonly lineCount: number } {
  const idKey = encoder.encode(options.idKey)
  const timeKey = encoder.encode(options.timeKey)
  const buffer = Buffer.from(block.buffer, block.byteOffset, block.length)
  const isClean = isUtf8(block)
  const list = new SpanList(block)
  const lines: number[] = []
  let lineCount = 0
  for (let from = 0; from < block.length; lineCount += 1) {
    const newline = buffer.indexOf(NEWLINE, from)
    const lineEnd = newline < 0 ? block.length : newline
    const start = skipSpace(block, from, lineEnd)
    from = lineEnd + 1
    if (start === lineEnd) continue
    let end = lineEnd
    while (isBlank(block[end - 1])) end -= 1
    const isObject = block[start] === OPEN_BRACE && scanEvent(block, start, end, idKey, timeKey) === end
    list.add(start, end, isObject && (isClean || isUtf8(block.subarray(start, end))) ? found : NOTHING)
    lines.push(lineCount)
  }
  return { spans: list.spans(), lines: Int32Array.from(lines), lineCount }
}

function isBlank(c: number | undefined): boolean {
  return c === 0x20 || c === 0x0d || c === 0x09
}
