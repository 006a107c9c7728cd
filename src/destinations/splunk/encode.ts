import type { Destination } from '../../core/destination.ts'
import { withMark } from '../envelope.ts'
import { MAX_EPOCH_BYTES, writeEpochSeconds } from './epoch-seconds.ts'
import type { SplunkOptions } from './options.ts'

const OPEN_TIME = Buffer.from('{"time":')
const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c

/**
 * Wraps an event as the live stream does: `{"time":…,"host":…,"source":…,"sourcetype":…,"index":…,"event":{…}}`, made of these keys only, since a
 * key that HEC does not know silently loses the rest of the request.
 */
export function hecEncoder(options: SplunkOptions): Destination['encode'] {
  const host = options.host === undefined ? '' : `"host":${JSON.stringify(options.host)},`
  const sourcetype = `"sourcetype":${JSON.stringify(options.sourcetype ?? '_json')},`
  const index = options.index === undefined ? '' : `"index":${JSON.stringify(options.index)},`
  const metadata = new Map<string, Buffer>()
  const metadataOf = (source: string) => {
    const known = metadata.get(source)
    if (known !== undefined) return known
    const made = Buffer.from(`${host}"source":${JSON.stringify(source)},${sourcetype}${index}"event":`)
    metadata.set(source, made)
    return made
  }

  return (streamed, event, { restamp, mark }) => {
    const fixed = metadataOf(options.source ?? event.source)
    const body = withMark(streamed, mark)
    // Without `time` HEC dates an event by its arrival.
    const isDated = !restamp && options.eventTime !== false
    const room = OPEN_TIME.length + MAX_EPOCH_BYTES + 1 + fixed.length + body.length + 1
    const bytes = Buffer.allocUnsafe(room)
    let at = 0
    if (isDated) {
      at = writeEpochSeconds(bytes, put(bytes, 0, OPEN_TIME), event.occurredAtMs)
      bytes[at] = COMMA
    } else bytes[at] = OPEN
    at = put(bytes, at + 1, fixed)
    bytes.set(body, at)
    at += body.length
    bytes[at] = CLOSE
    return bytes.subarray(0, at + 1)
  }
}

/** Copies a few bytes; for so few a loop is quicker than `set`. */
function put(bytes: Buffer, at: number, few: Buffer): number {
  for (let i = 0; i < few.length; i += 1) bytes[at + i] = few[i] ?? 0
  return at + few.length
}
