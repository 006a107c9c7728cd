import type { BrowserOperations, BrowserQuery } from '../../core/browser.ts'
import type { ExitCode } from '../../core/errors.ts'
import type { AuditSource } from '../../core/source.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { settingsFor } from '../entry-actions.ts'
import { explainSource } from '../explain.ts'
import { filterFlags, settleOf, timeContext, windowFlags } from '../flags.ts'
import { type Invocation, textOption } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import type { Runtime } from '../runtime.ts'
import { coverageOperations } from './coverage.ts'
import { eventOperations } from './events.ts'

/** The source and what the browser can do with it. @throws UserError for flags and settings that are wrong */
export async function openForBrowser(
  invocation: Invocation,
  runtime: Runtime,
): Promise<{ readonly operations: BrowserOperations; readonly query: BrowserQuery }> {
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const query = queryOf(source, invocation, runtime)
  const warn = (warnings: readonly string[]): void => {
    for (const warning of warnings) runtime.log.warn(warning)
  }
  const { clock, log } = runtime
  const operations: BrowserOperations = {
    zone: zoneOf(invocation, runtime),
    ...eventOperations({ source, clock, log, concurrency: concurrencyOf(invocation), warn }),
    ...coverageOperations({ settings, source, invocation, runtime }),
  }
  // A filter that means nothing for the source ends the command, as it does elsewhere, and not only the first reading.
  operations.resolveFilter(query.filter)
  return { operations, query }
}

/** `--explain`: what would be asked of the source. */
export async function explainBrowse(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const asked = { ...queryOf(source, invocation, runtime), order: 'desc' } as const
  return explainSource(runtime, source, asked, invocation)
}

function queryOf(source: AuditSource, invocation: Invocation, runtime: Runtime): BrowserQuery {
  const defaultTo = runtime.clock.now() - settleOf(invocation).ms
  const { window } = windowFlags(invocation, runtime, { fallbackMs: DAY_MS, defaultTo })
  return { window, filter: filterFlags(invocation, source.shape, runtime) }
}

/** `--time local` shows times where the user is, `--tz` where it says; UTC otherwise. */
function zoneOf(invocation: Invocation, runtime: Runtime): string {
  const { zone } = timeContext(invocation, runtime)
  if (textOption(invocation, 'time') !== 'local' || textOption(invocation, 'tz') !== undefined) return zone
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}
