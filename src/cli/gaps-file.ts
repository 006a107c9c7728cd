import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { UserError } from '../core/errors.ts'
import { instantOfText } from '../core/instant.ts'
import type { TimeRange } from '../core/time-range.ts'
import { joined } from '../state/proven.ts'

/** The windows of an earlier `gaps -o jsonl` (or its whole JSON report). @throws UserError naming the line that is none */
export function windowsOfGaps(path: string): {
  readonly windows: readonly TimeRange[]
  readonly typed: string
} {
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new UserError(`--gaps: ${path} cannot be read`, { cause })
  }
  const windows: TimeRange[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    windows.push(...windowsOfLine(line, path, i + 1))
  }
  if (windows.length === 0)
    throw new UserError(`--gaps: ${path} holds no gap`, {
      hint: 'make it with auditctl gaps … -o jsonl > gaps.jsonl',
    })
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return { windows: joined(windows), typed: `gaps ${digest}` }
}

function windowsOfLine(line: string, path: string, at: number): readonly TimeRange[] {
  try {
    const parsed = JSON.parse(line) as {
      from?: string
      to?: string
      gaps?: readonly { from: string; to: string }[]
    }
    const gaps = parsed.gaps ?? [parsed]
    return gaps.map(({ from, to }) => {
      if (typeof from !== 'string' || typeof to !== 'string') throw new RangeError('a gap has from and to')
      const window = { from: instantOfText(from), to: instantOfText(to) }
      if (window.to <= window.from) throw endsBeforeItBegins(path, at, from, to)
      return window
    })
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError(`--gaps: line ${at} of ${path} is not a gap`, {
      cause,
      hint: 'make it with auditctl gaps … -o jsonl > gaps.jsonl',
    })
  }
}

function endsBeforeItBegins(path: string, at: number, from: string, to: string): UserError {
  return new UserError(
    `--gaps: line ${at} of ${path} is a gap that ends before it begins: from ${from} to ${to}`,
    {
      hint: 'a gap is [from, to): swap them, or make the file anew with auditctl gaps … -o jsonl > gaps.jsonl',
    },
  )
}
