import { IncompleteError } from '../../core/errors.ts'
import { openRecords } from '../../storage/records/read-records.ts'
import { idFields } from '../id-field.ts'
import { takeHeader } from './header.ts'
import { JsonRows } from './json-rows.ts'
import type { IdSink, RowReader } from './row-reader.ts'
import { CsvRows, isCsvHeader, LineRows } from './text-rows.ts'

export type IdInput = {
  readonly name: string
  text(): AsyncGenerator<Uint8Array>
}

/**
 * Reads all ids of a text into the sink; yields after each block, so that the sink can be emptied. Returns undefined when the text was whole,
 * else the reason why it cannot be trusted: cut off, damaged, a line without an id, another count or digest than its header declares.
 * @throws UserError for a file that is not there or of a form that is not understood
 */
export async function* readIds(
  input: IdInput,
  field: string | undefined,
  sink: IdSink,
  signal: AbortSignal,
): AsyncGenerator<undefined, string | undefined> {
  const text = input.text()
  const counting = new Counting(sink)
  try {
    const headed = await takeHeader(text, input.name)
    const problem = yield* readRows({ name: input.name, text: () => headed.rest }, field, counting, signal)
    if (problem !== undefined) {
      const shifted = headed.header === undefined ? '' : ' (lines count from the one after the header)'
      return `${input.name}: ${problem}${shifted}`
    }
    const { count, sha256 } = headed.header ?? {}
    if (count !== undefined && count !== counting.count) {
      return `${input.name} holds ${counting.count} ids, but its header declares ${count}`
    }
    if (sha256 !== undefined && sha256 !== headed.digest()) {
      return `${input.name} does not have the SHA-256 that its header declares`
    }
    return undefined
  } catch (error) {
    // What cannot be unpacked to its end is an answer that ended early.
    if (error instanceof IncompleteError) return error.message
    throw error
  } finally {
    await text.return(undefined)
  }
}

async function* readRows(
  input: IdInput,
  field: string | undefined,
  sink: IdSink,
  signal: AbortSignal,
): AsyncGenerator<undefined, string | undefined> {
  const fields = idFields(field)
  const opened = await openRecords(input.text(), {
    name: input.name,
    textForm: (line) => (isCsvHeader(line, fields, input.name) ? 'rows' : 'lines'),
  })
  if (opened === undefined) {
    return /\.(?:gz|gzip|zst|zstd)$/i.test(input.name)
      ? 'it is blank, though its name says that it is packed'
      : undefined
  }
  const { form, delimiter, records } = opened
  const reader: RowReader =
    form === 'rows'
      ? new CsvRows(fields, delimiter)
      : form === 'lines'
        ? new LineRows()
        : new JsonRows(fields)
  try {
    for (let next = await records.next(); ; next = await records.next()) {
      signal.throwIfAborted()
      if (next.done === true) return next.value.problem
      const problem = reader.read(next.value, sink)
      if (problem !== undefined) return problem
      yield undefined
    }
  } finally {
    await opened.close()
  }
}

class Counting implements IdSink {
  count = 0
  readonly #sink: IdSink

  constructor(sink: IdSink) {
    this.#sink = sink
  }

  take(bytes: Uint8Array, start: number, end: number, atMs: number): void {
    this.count += 1
    this.#sink.take(bytes, start, end, atMs)
  }

  takeText(id: string, atMs: number): void {
    this.count += 1
    this.#sink.takeText(id, atMs)
  }
}
