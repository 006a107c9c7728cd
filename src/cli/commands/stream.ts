import type { Check } from '../../core/check.ts'
import type { AcceptWindow } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { DestinationDefinition } from '../../destinations/define-destination.ts'
import { definitionOf } from '../entries.ts'
import {
  addEntry,
  listEntries,
  registriesOf,
  removeEntry,
  type SettingsExtras,
  STREAM_KIND,
  settingsFor,
  showEntry,
} from '../entry-actions.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { printRows, rowFormat } from '../print-rows.ts'
import { type CheckResult, collectChecks, printChecks } from '../run-checks.ts'
import type { Runtime } from '../runtime.ts'
import type { Settings } from '../settings.ts'

/** `stream add|list|show|test|remove|types|guide|import`. */
export async function streamCommand(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras = {},
): Promise<ExitCode> {
  switch (invocation.path[1]) {
    case 'add':
      return addEntry(STREAM_KIND, invocation, runtime, extras)
    case 'list':
      return listEntries(STREAM_KIND, invocation, runtime, extras)
    case 'show':
      return showEntry(STREAM_KIND, invocation, runtime, extras)
    case 'remove':
      return removeEntry(STREAM_KIND, invocation, runtime, extras)
    case 'types':
      return streamTypes(invocation, runtime, extras)
    case 'guide':
      return guide(invocation, runtime, extras)
    case 'test':
      return testStream(invocation, runtime, extras)
    case 'import':
      return (await import('../stream-import.ts')).importStreams(invocation, runtime, extras)
    default:
      throw new UserError('stream has add, list, show, test, remove, types, guide and import')
  }
}

async function streamTypes(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const { destinations } = await registriesOf(extras)
  const definitions = await Promise.all(Object.values(destinations).map((load) => load()))
  const format = rowFormat(invocation, runtime)
  if (format === 'json' || format === 'jsonl') {
    await printRows(definitions.map(typeRecord), [], format, runtime)
    return EXIT.done
  }
  const columns = [
    'provider',
    'default events',
    'default bytes',
    'hard events',
    'hard bytes',
    'event bytes',
    'accepts',
    'late',
    'grace',
    'searchable',
  ]
  await printRows(definitions.map(typeRow), columns, format, runtime)
  return EXIT.done
}

function typeRecord({
  provider,
  title,
  limits,
  accepts,
  notes = {},
  keeps = notes.accepts,
  lateDefault,
  graceMs,
  searchable,
}: DestinationDefinition) {
  const { pastMs, futureMs } = accepts
  const text = (ms: number | undefined) => (ms === undefined ? null : formatDuration(ms))
  return {
    provider,
    title,
    limits: { default: limits.default, hard: limits.hard },
    acceptWindow: {
      past: text(pastMs),
      future: text(futureMs),
      pastMs: pastMs ?? null,
      futureMs: futureMs ?? null,
      ...(keeps === undefined ? {} : { note: keeps }),
    },
    late: lateDefault,
    ...(notes.late === undefined ? {} : { lateNote: notes.late }),
    grace: formatDuration(graceMs),
    graceMs,
    searchable,
  }
}

function typeRow({
  provider,
  limits,
  accepts,
  notes = {},
  keeps = 'any age',
  lateDefault,
  graceMs,
  searchable,
}: DestinationDefinition) {
  return {
    provider,
    'default events': limits.default.maxEvents ?? 'none',
    'default bytes': limits.default.maxBytes,
    'hard events': limits.hard.maxEvents ?? 'none',
    'hard bytes': limits.hard.maxBytes,
    'event bytes': limits.hard.maxEventBytes,
    accepts: [windowText(accepts, keeps), notes.accepts].filter((text) => text !== undefined).join(', '),
    late: notes.late === undefined ? lateDefault : `${lateDefault} (${notes.late})`,
    grace: formatDuration(graceMs),
    searchable,
  }
}

function windowText({ pastMs, futureMs }: AcceptWindow, unbounded: string): string {
  const past = pastMs === undefined ? '' : `-${formatDuration(pastMs)}`
  const future = futureMs === undefined ? '' : `+${formatDuration(futureMs)}`
  return past + future === '' ? unbounded : [past, future].filter((side) => side !== '').join(' to ')
}

async function guide(invocation: Invocation, runtime: Runtime, extras: SettingsExtras): Promise<ExitCode> {
  const { destinations } = await registriesOf(extras)
  const definition = await definitionOf(invocation.args[0] ?? '', destinations, 'stream guide')
  const sourceType = await guidedType(invocation, runtime, extras)
  await runtime.output.write(`${definition.guide(sourceType).trimEnd()}\n`)
  return EXIT.done
}

/** `--source`: a type, or a configured source of it; a guide is read before there is a configuration. */
async function guidedType(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<string | undefined> {
  const asked = textOption(invocation, 'source')
  if (asked === undefined) return undefined
  const { sources } = await registriesOf(extras)
  if (Object.hasOwn(sources, asked)) return asked
  return (await settingsFor(invocation, runtime, extras)).sourceEntry(asked).type
}

async function testStream(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, extras)
  const [name = ''] = invocation.args
  const parts = { http: await runtime.http(), clock: runtime.clock, log: runtime.log }
  const destination = await settings.openStream(name, parts)
  try {
    const delivery = await collectChecks(name, () =>
      destination.test({
        send: flagOption(invocation, 'send'),
        sourceTypes: comparedTypes(name, settings),
        signal: runtime.signal,
      }),
    )
    const search = await testSearch(name, settings, parts, runtime.signal)
    const both = {
      checks: [...delivery.checks, ...search.checks],
      isRefused: delivery.isRefused || search.isRefused,
    }
    return await printChecks(both, invocation, runtime)
  } finally {
    await destination.close()
  }
}

async function testSearch(
  name: string,
  settings: Settings,
  parts: Parameters<Settings['openInventory']>[2],
  signal: AbortSignal,
): Promise<CheckResult> {
  const inventory = await settings.openInventory(name, comparedType(name, settings), parts)
  if (inventory === undefined) {
    const { definition } = await settings.streamSettings(name)
    return { checks: [notSearchable(definition.searchable)], isRefused: false }
  }
  try {
    return await collectChecks('search', () => inventory.test(signal))
  } finally {
    await inventory.close()
  }
}

/** Of all sources that the stream may be paired with. */
function comparedTypes(name: string, settings: Settings): readonly string[] {
  const allowed = settings.streamEntry(name)['sources']
  const paired = settings.sourceNames.filter((source) => !Array.isArray(allowed) || allowed.includes(source))
  return [...new Set(paired.map((source) => settings.sourceEntry(source).type))]
}

/** The type of the source that the stream is likely to be compared with. */
function comparedType(name: string, settings: Settings): string {
  const allowed = settings.streamEntry(name)['sources']
  const paired = Array.isArray(allowed)
    ? settings.sourceNames.find((source) => allowed.includes(source))
    : undefined
  try {
    return settings.sourceEntry(paired ?? settings.sourceName()).type
  } catch {
    // No source yet, or several: where the product's ids stand is as good a guess as any.
    return 'infisical'
  }
}

function notSearchable(searchable: string): Check {
  if (searchable === 'no') {
    return {
      check: 'search',
      state: 'ok',
      message: 'this provider cannot be searched: gaps and backfill --missing need --inventory FILE',
    }
  }
  return {
    check: 'search',
    state: 'warning',
    message: 'no search credentials are configured, so gaps and backfill --missing need --inventory FILE',
    hint: `searchable: ${searchable}; auditctl stream guide shows the settings`,
  }
}
