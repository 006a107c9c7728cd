import type { HeldRows } from '../../core/inventory.ts'
import { redact } from '../../core/secret.ts'
import { type HeldRow, heldRow } from '../held-row.ts'
import { idFields } from '../id-field.ts'

/** How the printed text ended: what is wrong with it, or whole, with a cursor when there is more. */
export type Printed = { readonly problem?: string | undefined; readonly next?: string | undefined }

type End = { readonly count: number; readonly next: string | undefined }

const NEWLINE = 0x0a
const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Nobody reads so much in a window of a day: it prints without end. */
const MAX_BYTES = 4 * 1024 * 1024 * 1024

/**
 * Ids of what a command prints, a chunk at a time: one id a line, or JSON Lines; `#` begins a comment. Whole only when the last line is
 * `{"auditctl":"end","count":N}` and N ids stand before it.
 */
export async function* readPrinted(
  stdout: AsyncIterable<Uint8Array>,
  idField: string | undefined,
): AsyncGenerator<HeldRows, Printed> {
  const reader = new PrintedReader(idField)
  let rest: Buffer = Buffer.alloc(0)
  let size = 0
  for await (const chunk of stdout) {
    const bytes = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk])
    let from = 0
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      reader.line(bytes.toString('utf8', from, to))
      from = to + 1
    }
    rest = Buffer.from(bytes.subarray(from))
    size += chunk.length
    if (rest.length > MAX_LINE_BYTES) reader.problem ??= `line ${reader.lines + 1} has no end`
    if (size > MAX_BYTES) reader.problem ??= `it printed more than ${MAX_BYTES} bytes`
    const rows = reader.take()
    if (rows.ids.length > 0) yield rows
    if (reader.problem !== undefined) return { problem: reader.problem }
  }
  // A last line without its line end is a line; a cut one cannot be told from it, so only the end line may stand there.
  if (rest.length > 0) reader.line(rest.toString('utf8'))
  const rows = reader.take()
  if (rows.ids.length > 0) yield rows
  return reader.finish()
}

class PrintedReader {
  lines = 0
  problem: string | undefined
  readonly #fields: ReturnType<typeof idFields>
  /** Later rows must hold their id where the first one did. */
  #path: readonly string[] | undefined
  #count = 0
  #end: End | undefined
  #ids: string[] = []
  #atMs: number[] = []

  constructor(idField: string | undefined) {
    this.#fields = idFields(idField)
  }

  line(raw: string): void {
    this.lines += 1
    const text = raw.trim()
    if (this.problem !== undefined || text === '' || text.startsWith('#')) return
    if (this.#end !== undefined) {
      this.problem = `line ${this.lines} stands after the end line`
      return
    }
    const row = /^[{["]/.test(text) ? parsed(text) : text
    if (row === undefined) {
      this.problem = `line ${this.lines} is not JSON, or is cut off: ${redact(text.slice(0, 60))}`
      return
    }
    const end = endOf(row)
    if (end !== undefined) {
      if (typeof end === 'string') this.problem = `line ${this.lines}: ${end}`
      else this.#end = end
      return
    }
    const held = this.#held(row)
    if (held === 'ping') return
    if (held === undefined) {
      this.problem = `line ${this.lines} has no id: tried ${this.#fields.map(({ name }) => name).join(', ')}`
      return
    }
    this.#count += 1
    this.#ids.push(held.id)
    this.#atMs.push(held.atMs)
  }

  take(): HeldRows {
    const rows = { ids: this.#ids, atMs: this.#atMs }
    this.#ids = []
    this.#atMs = []
    return rows
  }

  finish(): Printed {
    if (this.problem !== undefined) return { problem: this.problem }
    if (this.#end === undefined) {
      return { problem: 'it ended without its last line {"auditctl":"end","count":N}' }
    }
    const { count, next } = this.#end
    return count === this.#count
      ? { next }
      : { problem: `it printed ${this.#count} ids, and its last line says ${count}` }
  }

  #held(row: unknown): HeldRow | 'ping' | undefined {
    if (this.#path !== undefined) return heldRow(row, this.#path)
    for (const { path } of this.#fields) {
      const held = heldRow(row, path)
      if (held === undefined) continue
      if (typeof row === 'object' && held !== 'ping') this.#path = path
      return held
    }
    return undefined
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The end line, or what is wrong with it; undefined for any other row. */
function endOf(row: unknown): End | string | undefined {
  if (row === null || typeof row !== 'object' || !('auditctl' in row) || row.auditctl !== 'end')
    return undefined
  const { count, next } = row as { readonly count?: unknown; readonly next?: unknown }
  if (!Number.isSafeInteger(count)) return 'the end line has no count'
  if (next === undefined || next === null) return { count: count as number, next: undefined }
  if (typeof next === 'string' && next !== '') return { count: count as number, next }
  return 'the cursor of the end line is not a text'
}
