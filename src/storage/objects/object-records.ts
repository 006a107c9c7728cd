import { isUtf8 } from 'node:buffer'
import { checked, checkJson } from '../../core/json-check.ts'
import { decompress } from '../decompress.ts'
import { readText } from '../files.ts'
import { openRecords } from '../records/read-records.ts'
import type { ObjectEntry, ObjectStore } from './store.ts'
import { NameCheck, type NameMatch } from './verify-name.ts'

const OPEN_BRACE = 0x7b

/** Where one JSON object lies in its batch's bytes. Bounds of id and time are -1 where they are not plain text. */
export type ObjectRecord = {
  readonly start: number
  readonly end: number
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
  readonly span: number
}

/** JSON objects that lie together; `bytes` are good until the next batch is asked for. */
export type RecordBatch = {
  readonly bytes: Buffer
  readonly records: readonly ObjectRecord[]
  lineOf(record: ObjectRecord): number
}

export type RecordOptions = {
  readonly idKey: string
  readonly timeKey: string
  readonly signal: AbortSignal
  onBroken(line: number, reason: string): void
}

/**
 * The JSON objects inside an object of an archive: a line each, an array, an envelope around one, or one alone; plain, gzip or zstd, told by
 * the first bytes. What is no JSON object is told and passed over. The return value says whether the digest in the name fits.
 * @throws IncompleteError when packed data is cut off or damaged
 */
export async function* objectRecords(
  store: ObjectStore,
  object: ObjectEntry,
  options: RecordOptions,
): AsyncGenerator<RecordBatch, NameMatch> {
  const name = `${store.url}/${object.key}`
  const check = new NameCheck(object.key.slice(object.key.lastIndexOf('/') + 1))
  const [idKey, timeKey] = [Buffer.from(options.idKey), Buffer.from(options.timeKey)]
  const plain = check.unpacked(decompress(check.stored(store.read(object.key, options.signal)), name))
  const opened = await openRecords(readText(plain, name), { name, textForm: () => 'lines' })
  if (opened === undefined) return check.result()
  try {
    for (;;) {
      const step = await opened.records.next()
      if (step.done === true) {
        if (step.value.problem !== undefined) options.onBroken(1, step.value.problem)
        return check.result()
      }
      options.signal.throwIfAborted()
      const { bytes, spans } = step.value
      const { starts, ends, count } = spans
      const isClean = isUtf8(bytes.subarray(starts[0] ?? 0, ends[count - 1] ?? 0))
      const records: ObjectRecord[] = []
      for (let span = 0; span < count; span += 1) {
        const [start, end] = [starts[span] as number, ends[span] as number]
        if (start === end) continue
        const over = bytes[start] === OPEN_BRACE ? checkJson(bytes, start, end, idKey, timeKey) : -1
        if (over !== end) options.onBroken(step.value.lineOf(span), wordsFor(bytes, start, over))
        else if (!isClean && !isUtf8(bytes.subarray(start, end)))
          options.onBroken(step.value.lineOf(span), 'it is not UTF-8')
        else records.push({ start, end, span, ...checked })
      }
      if (records.length > 0) yield { bytes, records, lineOf: ({ span }) => step.value.lineOf(span) }
    }
  } finally {
    await opened.close()
  }
}

function wordsFor(bytes: Buffer, start: number, over: number): string {
  if (bytes[start] !== OPEN_BRACE) return 'it is not a JSON object'
  if (over === -1) return 'its JSON is cut off'
  return over >= 0 ? 'something follows its JSON' : `its JSON breaks off at byte ${-2 - over - start + 1}`
}
