import type { Destination } from '../../core/destination.ts'
import { memberSpans } from '../../core/json-members.ts'
import { isoTime } from '../../core/time-range.ts'
import { withMember } from '../envelope.ts'
import { joinMembers, markMember, memberEncoder } from '../member-encoder.ts'
import type { DatadogOptions } from './options.ts'

/**
 * Top-level names that Datadog takes for the official time, the status, the host or the service without any pipeline, and those of the
 * envelope. An event that has one of its own would be dated by it, and dropped when it is old.
 * @source docs.datadoghq.com/logs/log_configuration/pipelines (preprocessing)
 */
const TAKEN = new Set([
  'timestamp',
  'date',
  '_timestamp',
  'Timestamp',
  'eventTime',
  'published_date',
  '@timestamp',
  'syslog.timestamp',
  'status',
  'severity',
  'level',
  'syslog.severity',
  'host',
  'hostname',
  'syslog.hostname',
  'service',
  'syslog.appname',
  'message',
  'ddsource',
  'ddtags',
])

/** Its streamed shape is built by our own source with known keys, none of them taken. */
const LIVE_SHAPE = 'infisical'
const UNDER_AUDIT = Buffer.from('{"audit":')
const CLOSE = 0x7d

/**
 * The event as the live stream sends it: its own members at the top level, then `timestamp`, `hostname`, `ddsource`, `service`, `ddtags`.
 * An event with a taken name at its top level goes under `audit` instead, with its time beside it as `occurred_at` and `occurred_at_ms`.
 */
export function datadogEncoder(
  options: DatadogOptions,
): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
  const env =
    options.env === undefined && options.ddtags !== undefined ? [] : [`env:${options.env ?? 'production'}`]
  const tags = [...env, ...(options.ddtags === undefined ? [] : [options.ddtags])].join(',')
  // The live stream takes the name alone from SITE_URL; Splunk's takes the port as well.
  const hostname = options.host?.replace(/^(\[.*\]|[^:]*):\d+$/, '$1')
  const envelopes = new Map<string, string>()
  const envelopeOf = (source: string, restamp: boolean) => {
    const key = `${restamp}${source}`
    const known = envelopes.get(key)
    if (known !== undefined) return known
    const made = [
      `"hostname":${JSON.stringify(hostname ?? source)}`,
      `"ddsource":${JSON.stringify(options.ddsource ?? source)}`,
      `"service":${JSON.stringify(options.service ?? source)}`,
      `"ddtags":${JSON.stringify(restamp ? `${tags},backfill:true` : tags)}`,
    ].join(',')
    envelopes.set(key, made)
    return made
  }

  return memberEncoder((streamed, event, { restamp, mark }) => {
    const marked = markMember(mark)
    const time = isoTime(event.occurredAtMs)
    // Without a recognised date Datadog dates a log by its arrival.
    const dated = restamp || options.eventTime === false ? '' : `"timestamp":"${time}",`
    const envelope = `${dated}${envelopeOf(event.source, restamp)}`
    const isFlat = event.source === LIVE_SHAPE || !hasTakenKey(streamed)
    if (isFlat) return { object: streamed, members: joinMembers(marked, envelope) }
    const beside = `"occurred_at":"${time}","occurred_at_ms":${event.occurredAtMs}`
    const nested = withMember(streamed, joinMembers(marked, beside))
    const object = Buffer.allocUnsafe(UNDER_AUDIT.length + nested.length + 1)
    object.set(UNDER_AUDIT)
    object.set(nested, UNDER_AUDIT.length)
    object[object.length - 1] = CLOSE
    return { object, members: envelope }
  })
}

function hasTakenKey(streamed: Uint8Array): boolean {
  let isTaken = false
  const text = Buffer.from(streamed.buffer, streamed.byteOffset, streamed.length)
  const end = memberSpans(streamed, 0, streamed.length, (from, to) => {
    if (isTaken || to - from > 40) return
    const key = text.toString('utf8', from, to)
    isTaken = TAKEN.has(key) || key.includes('\\')
  })
  return isTaken || end < 0
}
