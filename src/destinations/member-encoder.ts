import type { Destination, ReplayMark } from '../core/destination.ts'
import { compactJson, findMember } from '../core/json-members.ts'
import { isoTime } from '../core/time-range.ts'
import { closingBrace, withMember } from './envelope.ts'

type Encoder = Required<Pick<Destination, 'encode' | 'encodeInto'>>

/** An event's JSON object, and the JSON text of the members that go behind its own; empty: the object goes as it is. */
export type Membered = { readonly object: Uint8Array; readonly members: string }

const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c

/** For providers whose event is the streamed object with a few members more. `of` is pure. */
export function memberEncoder(of: (...asked: Parameters<Encoder['encode']>) => Membered): Encoder {
  return {
    encode(streamed, event, options) {
      const { object, members } = of(streamed, event, options)
      return members === '' ? object : withMember(object, members)
    },
    encodeInto(out, at, streamed, event, options) {
      const { object, members } = of(streamed, event, options)
      if (members === '') {
        if (at + object.length > out.length) return -1
        out.set(object, at)
        return at + object.length
      }
      const { close, last } = closingBrace(object)
      const comma = object[last] === OPEN ? 0 : 1
      // Nearly always ASCII, which needs no look at each character; a little too much room asked for costs nothing.
      const most = at + close + comma + members.length * 3 + 1
      if (most > out.length && at + close + comma + Buffer.byteLength(members) + 1 > out.length) return -1
      out.set(object.length === close + 1 ? object : object.subarray(0, close), at)
      let end = at + close
      if (comma === 1) out[end] = COMMA
      end += comma
      end += out.write(members, end, 'utf8')
      out[end] = CLOSE
      return end + 1
    },
  }
}

/** For providers that take the streamed object as it is: nothing but the mark is ever added. */
export const plainEncoder: Encoder & Required<Pick<Destination, 'copies'>> = {
  ...memberEncoder((object, _event, { mark }) => ({ object, members: markMember(mark) })),
  copies: (mark) => mark === undefined,
}

/** The member that `--mark` adds; empty without it. */
export function markMember(mark: ReplayMark | undefined): string {
  return mark === undefined
    ? ''
    : `"auditctl":${JSON.stringify({ run: mark.run, backfilledAt: mark.backfilledAt })}`
}

/** Members one behind the other; empty ones are left out. */
export function joinMembers(first: string, second: string): string {
  return first === '' || second === '' ? first + second : `${first},${second}`
}

/** Its streamed shape is built by our own source with known keys: never a provider's own time, never a line break. */
const LIVE_SHAPE = 'infisical'

/**
 * The event as it is, on one line, and behind its members `key`, its own time, unless it has such a member already, `eventTime` is false or it is
 * restamped. Only one spelling of the time is ever written.
 */
export function datedEncoder(key: string, eventTime: boolean | undefined): Encoder {
  const keyBytes = Buffer.from(key)
  return memberEncoder((streamed, event, { restamp, mark }) => {
    const isLive = event.source === LIVE_SHAPE
    const object = isLive ? streamed : onOneLine(streamed)
    const members = markMember(mark)
    const isUndated = restamp || eventTime === false
    if (isUndated || (!isLive && findMember(object, 0, object.length, keyBytes) >= 0))
      return { object, members }
    return { object, members: joinMembers(members, `"${key}":"${isoTime(event.occurredAtMs)}"`) }
  })
}

function onOneLine(json: Uint8Array): Uint8Array {
  return json.includes(0x0a) || json.includes(0x0d) ? compactJson(json) : json
}
