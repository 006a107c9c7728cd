import type { Check } from '../../core/check.ts'
import type { Clock } from '../../core/runtime.ts'
import { isoTime, MINUTE_MS } from '../../core/time-range.ts'
import { checksAfterLogIn, clockCheck } from '../health-checks.ts'
import type { Api } from './api.ts'
import type { RawPage } from './backend.ts'
import { textOf } from './read-record.ts'
import type { Session } from './session.ts'
import { isZoned } from './times.ts'

export type CheckParts = {
  readonly session: Session
  readonly api: Api
  readonly clock: Clock
  readonly url: string
  readonly timezone: string | undefined
}

/** The newest entry: the cheapest question that needs the permission to read. @throws RemoteError when the log may not be read */
export function newestEntry(api: Api, signal: AbortSignal): Promise<RawPage> {
  return api.page({ filter: {}, sort: ['created_at', 'DESC'], start: 0, end: 1, signal })
}

/** Reachable, credentials accepted, permission to read, which generation answers, and whether its times can be trusted. */
export function testSource(parts: CheckParts, signal: AbortSignal): Promise<readonly Check[]> {
  return checksAfterLogIn(parts.session, parts.url, signal, async (checks) => {
    const newest = await newestEntry(parts.api, signal)
    const count = newest.total === undefined ? '' : `, ${newest.total.toLocaleString('en-US')} entries`
    checks.push({ check: 'permission', state: 'ok', message: `may read the audit log${count}` })
    const generation =
      parts.api.generation === 'graphql' ? 'GraphQL (release 0.4 or later)' : 'REST (release 0.3 or earlier)'
    checks.push({ check: 'generation', state: 'ok', message: `answers by ${generation}` })
    checks.push(clockCheck(newest.clockSkewMs), zoneCheck(parts, newest))
  })
}

function zoneCheck({ clock, timezone }: CheckParts, { events }: RawPage): Check {
  const [newest] = events
  const text = newest === undefined ? undefined : textOf(newest.record(), 'created_at', 'createdAt')
  if (newest === undefined || text === undefined)
    return { check: 'timezone', state: 'ok', message: 'the log is empty' }
  const bytes = Buffer.from(text, 'latin1')
  if (isZoned(bytes, 0, bytes.length))
    return { check: 'timezone', state: 'ok', message: 'its times carry their zone' }
  const read = `times come without a zone and are read as ${timezone ?? 'UTC'}`
  if (newest.occurredAtMs <= clock.now() + 5 * MINUTE_MS)
    return { check: 'timezone', state: 'ok', message: read }
  return {
    check: 'timezone',
    state: 'warning',
    message: `${read}; the newest entry would then be of ${isoTime(newest.occurredAtMs)}, which is yet to come`,
    hint: 'set timezone to that of the server’s database session, such as Europe/Berlin',
  }
}
