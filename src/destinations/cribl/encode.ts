import type { Destination } from '../../core/destination.ts'
import { findMember } from '../../core/json-members.ts'
import { joinMembers, markMember, memberEncoder } from '../member-encoder.ts'
import type { CriblOptions } from './options.ts'

/** Built with known keys by our own source: never `_time`. */
const LIVE_SHAPE = 'infisical'
const OWN_TIME = Buffer.from('_time')

/**
 * The event as it is, and behind its members `_time`, its own time in seconds: without it Cribl would date it by arrival, which is how it dates
 * what the live stream sends.
 */
export function criblEncoder(
  options: Pick<CriblOptions, 'eventTime'>,
): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
  return memberEncoder((streamed, event, { restamp, mark }) => {
    const members = markMember(mark)
    if (restamp || options.eventTime === false) return { object: streamed, members }
    const isOwn = event.source !== LIVE_SHAPE && findMember(streamed, 0, streamed.length, OWN_TIME) >= 0
    if (isOwn) return { object: streamed, members }
    const time = `"_time":${JSON.stringify(event.occurredAtMs / 1000)}`
    return { object: streamed, members: joinMembers(members, time) }
  })
}
