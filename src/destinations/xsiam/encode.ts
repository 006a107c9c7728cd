import type { Destination } from '../../core/destination.ts'
import { checkJson } from '../../core/json-check.ts'
import { compactJson, findMember } from '../../core/json-members.ts'
import { isoTime } from '../../core/time-range.ts'
import { joinMembers, markMember, memberEncoder } from '../member-encoder.ts'

/** Its streamed shape is built by our own source with known keys: never `_time`, never a line break. */
const LIVE_SHAPE = 'infisical'
const OWN_TIME = Buffer.from('_time')
const NO_KEY = new Uint8Array(0)
const BRACE = 0x7b

/**
 * The event as it is, on one line, and behind its members `_time`, its own time. Whether a tenant takes it without a parsing rule is not documented;
 * the event's own key stays beside it for the rule.
 */
export function xsiamEncoder(
  eventTime: boolean | undefined,
): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
  return memberEncoder((streamed, event, { restamp, mark }) => {
    const isLive = event.source === LIVE_SHAPE
    const object = isLive ? streamed : onOneLine(streamed)
    const members = markMember(mark)
    const isUndated = restamp || eventTime === false
    if (isUndated || (!isLive && findMember(object, 0, object.length, OWN_TIME) >= 0))
      return { object, members }
    return { object, members: joinMembers(members, `"_time":"${isoTime(event.occurredAtMs)}"`) }
  })
}

/** A record that is not JSON may be dropped, or stored as text, inside a body that is accepted. */
export function refusesRecord(
  encoded: Uint8Array,
): { readonly code: string; readonly reason: string } | undefined {
  const isWhole =
    encoded[0] === BRACE && checkJson(encoded, 0, encoded.length, NO_KEY, NO_KEY) === encoded.length
  if (isWhole && !encoded.includes(0x0a)) return undefined
  return {
    code: 'not-json',
    reason:
      'the event is not a JSON object on one line: XSIAM would drop it or keep it as text, and say nothing',
  }
}

function onOneLine(json: Uint8Array): Uint8Array {
  return json.includes(0x0a) || json.includes(0x0d) ? compactJson(json) : json
}
