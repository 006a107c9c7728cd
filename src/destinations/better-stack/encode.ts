import type { Destination } from '../../core/destination.ts'
import { compactJson, findMember } from '../../core/json-members.ts'
import { isoTime } from '../../core/time-range.ts'
import { joinMembers, markMember, memberEncoder } from '../member-encoder.ts'

/** Its streamed shape is built by our own source with known keys: never `dt`, never a line break. */
const LIVE_SHAPE = 'infisical'
const OWN_TIME = Buffer.from('dt')

/**
 * The event as it is, and behind its members `dt`, its own time: without it Better Stack dates an event by arrival, which is how it dates what the
 * live stream sends. A `dt` that cannot be read is no error there, so only one spelling is ever written.
 */
export function betterStackEncoder(
  eventTime: boolean | undefined,
): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
  return memberEncoder((streamed, event, { restamp, mark }) => {
    const isLive = event.source === LIVE_SHAPE
    const object = isLive ? streamed : onOneLine(streamed)
    const members = markMember(mark)
    const isUndated = restamp || eventTime === false
    if (isUndated || (!isLive && findMember(object, 0, object.length, OWN_TIME) >= 0))
      return { object, members }
    return { object, members: joinMembers(members, `"dt":"${isoTime(event.occurredAtMs)}"`) }
  })
}

/** Better Stack has billed pretty-printed objects as one row a line (jikig-ai/soleur#7577). */
function onOneLine(json: Uint8Array): Uint8Array {
  return json.includes(0x0a) || json.includes(0x0d) ? compactJson(json) : json
}
