import type { InventoryEnd } from '../../core/inventory.ts'
import { redact } from '../../core/secret.ts'

export type ResultRow = Readonly<Record<string, unknown>>

const NEWLINE = 0x0a
const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Said to users near a quota whose search is whole all the same. */
const HARMLESS = /approaching the maximum number of/i
/** The one way in which Splunk tells that the asked time range was not the searched one. */
const NARROWED = /time ?range/i

/**
 * Rows of an export, a chunk of the body at a time. Complete only with a last row and a clean end, and without a message of an error or of
 * silent search peers; interim rows are left out. `lines` counts what was read, to tell an empty result from an empty body.
 * @throws the signal's reason when aborted; a body that breaks off is an incomplete answer
 */
export async function* readExport(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<readonly ResultRow[], InventoryEnd & { readonly lines: number }> {
  const state = { lines: 0, hasLastRow: false, problem: undefined as string | undefined }
  let rest: Uint8Array = new Uint8Array(0)
  try {
    for await (const chunk of body) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const rows: ResultRow[] = []
      let from = 0
      for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
        readLine(bytes.subarray(from, to), state, rows)
        from = to + 1
      }
      rest = bytes.subarray(from)
      if (rest.length > MAX_LINE_BYTES) state.problem ??= 'a line of the answer has no end'
      if (rows.length > 0) yield rows
      if (state.problem !== undefined) return { exhausted: false, reason: state.problem, lines: state.lines }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const message = redact(error instanceof Error ? error.message : String(error))
    return { exhausted: false, reason: `the answer broke off: ${message}`, lines: state.lines }
  }
  const rows: ResultRow[] = []
  if (rest.length > 0) readLine(rest, state, rows)
  if (rows.length > 0) yield rows
  const { lines } = state
  if (state.problem !== undefined) return { exhausted: false, reason: state.problem, lines }
  if (!state.hasLastRow) return { exhausted: false, reason: 'the answer ended without a last row', lines }
  return { exhausted: true, lines }
}

function readLine(
  bytes: Uint8Array,
  state: { lines: number; hasLastRow: boolean; problem: string | undefined },
  rows: ResultRow[],
): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').trim()
  if (text === '') return
  state.lines += 1
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    state.problem ??= `the answer is not the JSON of a search: ${redact(text.slice(0, 120))}`
    return
  }
  if (line === null || typeof line !== 'object') {
    state.problem ??= 'the answer is not the JSON of a search'
    return
  }
  const { preview, lastrow, result, messages } = line as Record<string, unknown>
  if (Array.isArray(messages))
    state.problem ??= messages.map(problemOf).find((problem) => problem !== undefined)
  // Interim rows come back in the final answer, and an interim last row is not the last.
  if (preview === true) return
  if (state.hasLastRow && result !== undefined) state.problem ??= 'the answer went on after its last row'
  if (lastrow === true) state.hasLastRow = true
  if (result !== null && typeof result === 'object') rows.push(result as ResultRow)
}

function problemOf(message: unknown): string | undefined {
  const { type, text } = (message ?? {}) as { type?: unknown; text?: unknown }
  const said = redact(`${String(type)}: ${String(text)}`)
  switch (String(type).toUpperCase()) {
    case 'DEBUG':
      return undefined
    case 'INFO':
      return NARROWED.test(String(text)) ? said : undefined
    case 'WARN':
      return HARMLESS.test(String(text)) ? undefined : said
    default:
      return said
  }
}
