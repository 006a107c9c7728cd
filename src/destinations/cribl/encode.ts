import type { Destination } from '../../core/destination.ts'
import { withMark, withMember } from '../envelope.ts'
import type { CriblOptions } from './options.ts'

/** Built with known keys by our own source: never `_time`. */
const LIVE_SHAPE = 'infisical'
const OWN_TIME = Buffer.from('"_time"')

/**
 * The event as it is, and behind its members `_time`, its own time in seconds: without it Cribl would date it by arrival, which is how it dates
 * what the live stream sends.
 */
export function criblEncoder(options: Pick<CriblOptions, 'eventTime'>): Destination['encode'] {
  return (streamed, event, { restamp, mark }) => {
    const marked = withMark(streamed, mark)
    if (restamp || options.eventTime === false) return marked
    const bytes = Buffer.from(streamed.buffer, streamed.byteOffset, streamed.length)
    if (event.source !== LIVE_SHAPE && bytes.includes(OWN_TIME)) return marked
    return withMember(marked, `"_time":${JSON.stringify(event.occurredAtMs / 1000)}`)
  }
}
