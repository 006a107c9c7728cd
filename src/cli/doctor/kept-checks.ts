import type { Check } from '../../core/check.ts'
import { formatDuration } from '../../core/duration.ts'
import type { AuditEvent } from '../../core/event.ts'
import { NO_FILTER } from '../../core/filter.ts'
import type { Clock } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import { DAY_MS, HOUR_MS, isoTime, SECOND_MS } from '../../core/time-range.ts'

const LOOK_BACK_MS = 30 * DAY_MS
const SAMPLE_EVENTS = 1000
/** A source that cuts its window finely is not read through for a sample. */
const MOST_SLICES = 200
/** Infisical stores what happened every five seconds. */
const AGAIN_MS = 6 * SECOND_MS
const LOOKS = 3
const MANY_A_DAY = 2000
const LARGE_SHARE = 0.2

export type KeptParts = { readonly clock: Clock; readonly signal: AbortSignal }

/**
 * Whether the server keeps an audit log at all, and how much of it our own reading makes. A server that shows nothing for a month is looked
 * at again, since the first look itself must have left an event where reading is recorded.
 */
export async function keptChecks(source: AuditSource, parts: KeptParts): Promise<readonly Check[]> {
  const { clock, signal } = parts
  const recordsReading = source.traits.isOwnRead !== undefined
  let sample = await newestEvents(source, parts)
  for (let look = 1; sample.length === 0 && recordsReading && look < LOOKS; look += 1) {
    await clock.sleep(AGAIN_MS, signal)
    sample = await newestEvents(source, parts)
  }
  const newest = sample.reduce(
    (latest, event) => Math.max(latest, event.occurredAtMs),
    Number.NEGATIVE_INFINITY,
  )
  const check = 'keeps a log'
  const days = LOOK_BACK_MS / DAY_MS
  if (sample.length === 0) {
    const said = `it shows no event of the last ${days} days`
    if (!recordsReading) {
      const hint =
        'nothing happened, or it keeps no log, or the permission covers a part of it: look with an administrator'
      return [{ check, state: 'warning', message: said, hint }]
    }
    return [
      {
        check,
        state: 'failure',
        message: `${said}, not even of this check: it keeps no audit log, so what a stream loses is lost for good`,
        hint: 'look at its plan, and at DISABLE_AUDIT_LOG_GENERATION and DISABLE_POSTGRES_AUDIT_LOG_STORAGE on the server; then every delivery must be watched at the SIEM',
      },
    ]
  }
  const age = formatDuration(Math.max(0, Math.floor((clock.now() - newest) / SECOND_MS) * SECOND_MS))
  const message = `its newest event is of ${isoTime(newest)}, ${age} ago`
  return [{ check, state: 'ok', message }, ...(await ownChecks(source, sample, signal))]
}

/** Events of our own making among the newest: readings, and log-ins of the identity that reads. */
async function ownChecks(
  source: AuditSource,
  sample: readonly AuditEvent[],
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { isOwnRead } = source.traits
  if (isOwnRead === undefined) return []
  const { identity } = await source.identify(signal)
  const isOwnLogin = (event: AuditEvent): boolean =>
    identity !== undefined && event.action.startsWith('login') && Buffer.from(event.bytes).includes(identity)
  const own = sample.filter((event) => isOwnRead(event) || isOwnLogin(event)).length
  const times = sample.map(({ occurredAtMs }) => occurredAtMs)
  const spanMs = times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b))
  // Minutes say nothing about days.
  const aDay = spanMs < HOUR_MS ? undefined : Math.round((own * DAY_MS) / spanMs)
  const rate = aDay === undefined ? '' : `, about ${aDay.toLocaleString('en-US')} a day`
  const check = 'our own events'
  const message = `reading and logging in made ${own} of the newest ${sample.length.toLocaleString('en-US')} events${rate}`
  const isMuch = sample.length >= 100 && own > sample.length * LARGE_SHARE && (aDay ?? 0) > MANY_A_DAY
  if (!isMuch) return [{ check, state: 'ok', message }]
  const hint =
    'they are streamed to the SIEM too: run the schedules less often, or follow with a longer --interval'
  return [{ check, state: 'warning', message, hint }]
}

async function newestEvents(source: AuditSource, { clock, signal }: KeptParts): Promise<AuditEvent[]> {
  const now = clock.now()
  const open = await source.open({ from: now - LOOK_BACK_MS, to: now }, NO_FILTER, {
    order: 'desc',
    concurrency: 1,
    limit: SAMPLE_EVENTS,
    signal,
  })
  const sample: AuditEvent[] = []
  try {
    let slices = 0
    for await (const slice of open.slices()) {
      for await (const page of open.read(slice, signal)) {
        sample.push(...page)
        if (sample.length >= SAMPLE_EVENTS) return sample.slice(0, SAMPLE_EVENTS)
      }
      slices += 1
      if (slices === MOST_SLICES) return sample
    }
    return sample
  } finally {
    await open.close()
  }
}
