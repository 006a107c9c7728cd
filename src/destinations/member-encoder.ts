import type { Destination, ReplayMark } from '../core/destination.ts'
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
