import type { Destination } from '../../core/destination.ts'
import { compactJson, findMember } from '../../core/json-members.ts'
import { isoTime } from '../../core/time-range.ts'
import { withMark, withMember } from '../envelope.ts'

/** Its streamed shape is built by our own source with known keys: never `dt`, never a line break. */
const LIVE_SHAPE = 'infisical'
const OWN_TIME = Buffer.from('dt')

/**
 * The event as it is, and behind its members `dt`, its own time: without it Better Stack dates an event by arrival, which is how it dates what the
 * live stream sends. A `dt` that cannot be read is no error there, so only one spelling is ever written.
 */
export function betterStackEncoder(eventTime: boolean | undefined): Destination['encode'] {
  return (streamed, event, { restamp, mark }) => {
    const marked = withMark(event.source === LIVE_SHAPE ? streamed : onOneLine(streamed), mark)
    if (restamp || eventTime === false) return marked
    if (event.source !== LIVE_SHAPE && findMember(marked, 0, marked.length, OWN_TIME) >= 0) return marked
    return withMember(marked, `"dt":"${isoTime(event.occurredAtMs)}"`)
  }
}

/** Better Stack has billed pretty-printed objects as one row a line (jikig-ai/soleur#7577). */
function onOneLine(json: Uint8Array): Uint8Array {
  return json.includes(0x0a) || json.includes(0x0d) ? compactJson(json) : json
}
