import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import ndjson from 'ndjson'

/** Small objects as JSON Lines, for lists of reports and gaps. Events go through `jsonlWriter`, which keeps their bytes. */
export async function* objectLines(
  objects: Iterable<object> | AsyncIterable<object>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const lines = ndjson.stringify()
  const done = pipeline(Readable.from(objects), lines, signal === undefined ? {} : { signal })
  // Reported by the loop below, or by the wait after it.
  done.catch(() => {})
  // ndjson ends lines as the platform does; JSON Lines end with a newline everywhere.
  for await (const line of lines) yield String(line).replace(/\r\n$/, '\n')
  await done
}
