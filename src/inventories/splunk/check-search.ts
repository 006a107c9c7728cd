import type { Check } from '../../core/check.ts'
import { AuditctlError } from '../../core/errors.ts'
import type { Clock } from '../../core/runtime.ts'
import { DAY_MS, MINUTE_MS } from '../../core/time-range.ts'
import { readExport } from './export-stream.ts'
import type { SplunkSearchSettings } from './options.ts'
import type { SearchClient } from './search-client.ts'
import type { Spl } from './spl.ts'

/**
 * One quick count over the last day proves address, token and that searches end whole. That the role sees everything cannot be proved without a
 * known event: a filter or time limit of a role hides rows in silence.
 */
export async function checkSearch(parts: {
  readonly client: SearchClient
  readonly spl: Spl
  readonly settings: SplunkSearchSettings
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<readonly Check[]> {
  const { client, spl, settings, clock, signal } = parts
  const name = 'Splunk search'
  const now = clock.now()
  const index = settings.search?.index ?? settings.index
  let rows = 0
  try {
    const body = await client.search(spl.buckets('1h'), { from: now - DAY_MS, to: now + MINUTE_MS }, signal)
    const results = readExport(body, signal)
    for (;;) {
      const step = await results.next()
      if (step.done !== true) {
        for (const row of step.value) rows += Number(row['count']) || 0
        continue
      }
      if (step.value.exhausted) break
      return [{ check: name, state: 'failure', message: step.value.reason ?? 'the answer was not whole' }]
    }
  } catch (error) {
    if (!(error instanceof AuditctlError)) throw error
    return [
      { check: name, state: 'failure', message: error.message, ...(error.hint ? { hint: error.hint } : {}) },
    ]
  }
  const where = index === undefined ? 'all indexes the role may see' : `index ${index}`
  const checks: Check[] = [
    rows > 0
      ? { check: name, state: 'ok', message: `${rows} events of the last 24 hours found in ${where}` }
      : {
          check: name,
          state: 'warning',
          message: `answered, but no event of the last 24 hours was found in ${where}`,
          hint: 'a quiet day, or a wrong index, source or sourcetype, or a role that hides them: find one known event by hand',
        },
  ]
  if (index === undefined) {
    const hint =
      'name the index in "search": the search is quicker, and a role that may not see it is noticed'
    checks.push({ check: 'index', state: 'warning', message: 'no index is configured', hint })
    return checks
  }
  const seconds = await client.retentionSeconds(index, signal).catch(() => undefined)
  checks.push(
    seconds === undefined
      ? {
          check: 'retention',
          state: 'ok',
          message: 'not proved: this token may not read how long the index keeps events',
        }
      : {
          check: 'retention',
          state: 'ok',
          message: `index ${index} keeps events for ${Math.floor(seconds / 86_400)} days; older ones would be accepted and vanish`,
        },
  )
  return checks
}
