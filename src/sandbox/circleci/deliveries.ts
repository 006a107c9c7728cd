import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'

const HOUR_MS = 3_600_000
const FILE_EVENTS = 500
/** How long after its last event a file comes: announced is less than an hour. */
const DELAY_MS = 35 * 60_000

export type DeliverySwitches = {
  readonly isPadded: boolean
  readonly isGzip: boolean
  readonly fileEvents?: number
}

/**
 * The files of the stream: some events each, in the folder of the hour in which they were delivered; every tenth file comes twice with an event
 * more, and the connectivity probe lies beside the folders.
 */
export function* deliveries(
  events: readonly JsonObject[],
  switches: DeliverySwitches,
): Generator<{ readonly key: string; readonly body: Buffer }> {
  yield { key: 'circleci_connectivity_test_1763632800', body: Buffer.alloc(0) }
  let files = 0
  for (let from = 0; from < events.length; ) {
    let to = from + 1
    const hour = Math.floor(timeOf(events[from]) / HOUR_MS)
    while (
      to < events.length &&
      to - from < (switches.fileEvents ?? FILE_EVENTS) &&
      Math.floor(timeOf(events[to]) / HOUR_MS) === hour
    )
      to += 1
    const at = timeOf(events[to - 1]) + DELAY_MS
    yield file(events.slice(from, to), at, switches)
    files += 1
    if (files % 10 === 0) yield file(events.slice(Math.max(0, from - 1), to), at + 1000, switches)
    from = to
  }
}

function file(
  events: readonly JsonObject[],
  at: number,
  { isPadded, isGzip }: DeliverySwitches,
): { readonly key: string; readonly body: Buffer } {
  const text = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  const body = isGzip ? gzipSync(text) : text
  const iso = new Date(at).toISOString()
  const number = (from: number, to: number) =>
    isPadded ? iso.slice(from, to) : String(Number(iso.slice(from, to)))
  const folder = `year=${iso.slice(0, 4)}/month=${number(5, 7)}/day=${number(8, 10)}/hour=${number(11, 13)}`
  return { key: `${folder}/${iso.slice(0, 19)}_${createHash('sha1').update(body).digest('hex')}`, body }
}

/** When it happened, to the millisecond. */
export function timeOf(event: JsonObject | undefined): number {
  return Date.parse(String(event?.['occurred_at']).slice(0, 23).concat('Z'))
}
