import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { AuditSource } from '../../core/source.ts'
import {
  addEntry,
  listEntries,
  registriesOf,
  removeEntry,
  type SettingsExtras,
  SOURCE_KIND,
  settingsFor,
  showEntry,
} from '../entry-actions.ts'
import { flagOption, type Invocation } from '../invocation.ts'
import { printRows, rowFormat } from '../print-rows.ts'
import { collectChecks, printChecks } from '../run-checks.ts'
import type { Runtime } from '../runtime.ts'

/** `source add|list|show|test|remove|types`. */
export async function sourceCommand(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras = {},
): Promise<ExitCode> {
  switch (invocation.path[1]) {
    case 'add':
      return addEntry(SOURCE_KIND, invocation, runtime, extras)
    case 'list':
      return listEntries(SOURCE_KIND, invocation, runtime, extras)
    case 'show':
      return showEntry(SOURCE_KIND, invocation, runtime, extras)
    case 'remove':
      return removeEntry(SOURCE_KIND, invocation, runtime, extras)
    case 'types':
      return sourceTypes(invocation, runtime, extras)
    case 'test':
      return testSource(invocation, runtime, extras)
    default:
      throw new UserError('source has add, list, show, test, remove and types')
  }
}

async function sourceTypes(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const { sources } = await registriesOf(extras)
  const definitions = await Promise.all(Object.values(sources).map((load) => load()))
  const format = rowFormat(invocation, runtime)
  const rows = definitions.map(({ type, title, notes }) => ({
    type,
    title,
    notes: format === 'table' || format === 'csv' ? notes.join('; ') : notes,
  }))
  await printRows(rows, ['type', 'title', 'notes'], format, runtime)
  return EXIT.done
}

async function testSource(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, extras)
  const [name = settings.sourceName()] = invocation.args
  let source: AuditSource | undefined
  try {
    source = await settings.openSource(name, {
      http: await runtime.http(),
      clock: runtime.clock,
      log: runtime.log,
      scratch: () => runtime.scratch(),
      stdin: runtime.io.stdin,
      strict: flagOption(invocation, 'strict'),
    })
    const opened = source
    return await printChecks(
      await collectChecks(name, () => opened.test(runtime.signal)),
      invocation,
      runtime,
    )
  } finally {
    await source?.close()
  }
}
