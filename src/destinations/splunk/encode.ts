import type { Destination } from '../../core/destination.ts'
import type { AuditEvent } from '../../core/event.ts'
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
export function hecEncoder(options: SplunkOptions): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
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
  const roomFor = (fixed: Buffer, object: Uint8Array) =>
    OPEN_TIME.length + MAX_EPOCH_BYTES + 1 + fixed.length + object.length + 1

  /** Where there is room enough. */
  const write = (
    bytes: Buffer,
    from: number,
    fixed: Buffer,
    object: Uint8Array,
    { occurredAtMs }: AuditEvent,
    restamp: boolean,
  ): number => {
    let at = from
    // Without `time` HEC dates an event by its arrival.
    if (!restamp && options.eventTime !== false) {
      at = writeEpochSeconds(bytes, put(bytes, at, OPEN_TIME), occurredAtMs)
      bytes[at] = COMMA
    } else bytes[at] = OPEN
    bytes.set(fixed, at + 1)
    at += 1 + fixed.length
    bytes.set(object, at)
    at += object.length
    bytes[at] = CLOSE
    return at + 1
  }

  return {
    encode(streamed, event, { restamp, mark }) {
      const fixed = metadataOf(options.source ?? event.source)
      const object = withMark(streamed, mark)
      const bytes = Buffer.allocUnsafe(roomFor(fixed, object))
      return bytes.subarray(0, write(bytes, 0, fixed, object, event, restamp))
    },
    encodeInto(out, at, streamed, event, { restamp, mark }) {
      const fixed = metadataOf(options.source ?? event.source)
      const object = withMark(streamed, mark)
      if (at + roomFor(fixed, object) > out.length) return -1
      return write(out, at, fixed, object, event, restamp)
    },
  }
}

/** Copies a few bytes; for so few a loop is quicker than `set`. */
function put(bytes: Buffer, at: number, few: Buffer): number {
  for (let i = 0; i < few.length; i += 1) bytes[at + i] = few[i] ?? 0
  return at + few.length
}
