import { saveConfig } from '../config/load.ts'
import { leavesOf, maskSecrets } from '../config/mask.ts'
import { type Config, configError, ENTRY_NAME, type Entry } from '../config/schema.ts'
import { type EntrySchema, isSecretAt, secretPaths } from '../config/schema-walk.ts'
import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import { definitionOf, loadRegistries, type Registries } from './entries.ts'
import { applySettings, completeEntry, setAt } from './entry-builder.ts'
import { timeoutOf } from './flags.ts'
import { type Invocation, listOption, textOption } from './invocation.ts'
import { printRows, type Row, rowFormat } from './print-rows.ts'
import { canAsk, openPrompter, type Prompter, readSecrets } from './prompt.ts'
import type { Runtime } from './runtime.ts'
import { loadSettings, type Settings } from './settings.ts'

/** How sources and streams are spelled in the file, in flags and in messages. */
export type EntryKind =
  | { readonly what: 'source'; readonly section: 'sources'; readonly tag: 'type' }
  | { readonly what: 'stream'; readonly section: 'streams'; readonly tag: 'provider' }

export const SOURCE_KIND = { what: 'source', section: 'sources', tag: 'type' } as const
export const STREAM_KIND = { what: 'stream', section: 'streams', tag: 'provider' } as const

/** What tests put in the place of the real registries and keychain. */
export type SettingsExtras = {
  readonly registries?: Registries
  readonly keychain?: (name: string) => Promise<string | null>
}

/** The configuration in force for a command. */
export function settingsFor(
  invocation: Invocation,
  runtime: Pick<Runtime, 'io' | 'log' | 'signal'>,
  extras: SettingsExtras & { readonly mayCreate?: boolean } = {},
): Promise<Settings> {
  return loadSettings({
    env: runtime.io.env,
    flags: { config: textOption(invocation, 'config'), source: textOption(invocation, 'source') },
    log: runtime.log,
    signal: runtime.signal,
    timeoutMs: timeoutOf(invocation),
    ...extras,
  })
}

/** `source add` and `stream add`: settings from `--set`, secrets from stdin or a person, the rest asked for on a terminal. */
export async function addEntry(
  kind: EntryKind,
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const { what, section, tag } = kind
  const settings = await settingsFor(invocation, runtime, { ...extras, mayCreate: true })
  const [name = ''] = invocation.args
  if (!ENTRY_NAME.test(name)) {
    throw new UserError(`${JSON.stringify(name)} is not a name for a ${what}`, {
      hint: 'letters, digits, and . _ @ - inside, at most 64 of them',
    })
  }
  const { config, path } = settings.file
  if (Object.hasOwn(config[section], name)) {
    throw new UserError(`There is a ${what} named ${name} already`, {
      code: 'exists',
      hint: `auditctl config set ${section}.${name}.KEY VALUE changes it; auditctl ${what} remove ${name} removes it`,
    })
  }
  let prompter: Prompter | undefined
  const ask = (): Prompter | undefined => {
    if (!canAsk(runtime.io)) return undefined
    prompter ??= openPrompter(runtime.io, runtime.signal)
    return prompter
  }
  try {
    const registry = what === 'source' ? settings.registries.sources : settings.registries.destinations
    const types = Object.keys(registry)
    const type = textOption(invocation, tag) ?? (await ask()?.choice(tag, types))
    if (type === undefined) {
      throw new UserError(`${what} add needs --${tag}`, { hint: `one of ${types.join(', ')}` })
    }
    const { options: schema } = await definitionOf<{ options: EntrySchema }>(type, registry, `--${tag}`)
    const given = applySettings({ [tag]: type }, listOption(invocation, 'set'), schema)
    const piped = await withPipedSecrets(given, schema, listOption(invocation, 'secretStdin'), runtime)
    const entry = await completeEntry(piped, schema, {
      prefix: [section, name],
      ask,
      fail: (problems) => incomplete(what, name, problems),
    })
    await saveConfig(settings.file, withEntry(config, section, name, entry))
    runtime.log.info(`added the ${what} ${name} to ${path}; try: auditctl ${what} test ${name}`)
    return EXIT.done
  } finally {
    prompter?.close()
  }
}

/** `remove`: takes the entry out of the file, and `defaultSource` with it when that names it. */
export async function removeEntry(
  kind: EntryKind,
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const { what, section } = kind
  const settings = await settingsFor(invocation, runtime, extras)
  const [name = ''] = invocation.args
  if (what === 'source') settings.sourceEntry(name)
  else settings.streamEntry(name)
  const { config, path } = settings.file
  if (!Object.hasOwn(config[section], name)) {
    throw new UserError(`The source ${name} comes from the environment, not from ${path}`, {
      hint: 'unset its variables to be rid of it',
    })
  }
  const { [name]: _removed, ...kept } = config[section]
  const { defaultSource, ...rest } = config
  const wasDefault = what === 'source' && defaultSource === name
  const next = { ...(wasDefault || defaultSource === undefined ? rest : config), [section]: kept } as Config
  await saveConfig(settings.file, next)
  runtime.log.info(`removed the ${what} ${name} from ${path}`)
  if (wasDefault) runtime.log.warn(`${name} was the default source; there is none now`)
  for (const [stream, entry] of Object.entries(next.streams)) {
    if (what === 'source' && Array.isArray(entry['sources']) && entry['sources'].includes(name)) {
      runtime.log.warn(`the stream ${stream} still names ${name} in its sources`)
    }
  }
  return EXIT.done
}

/** `list`: one row an entry, with where it points. */
export async function listEntries(
  kind: EntryKind,
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, extras)
  const names = kind.what === 'source' ? settings.sourceNames : settings.streamNames
  const rows = await Promise.all(names.map((name) => rowOf(kind, name, settings)))
  const columns =
    kind.what === 'source'
      ? ['name', 'type', 'target', 'default', 'origin']
      : ['name', 'provider', 'target', 'sources']
  const format = rowFormat(invocation, runtime)
  await printRows(rows, columns, format, runtime)
  if (rows.length === 0 && format === 'table') {
    runtime.log.info(`no ${kind.what} is configured; auditctl ${kind.what} add NAME configures one`)
  }
  return EXIT.done
}

/** `show`: the entry as configured, secrets as `***`; a key a line on a terminal. */
export async function showEntry(
  kind: EntryKind,
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, extras)
  const [name = ''] = invocation.args
  const masked = await maskedEntry(kind, name, settings)
  const format = rowFormat(invocation, runtime)
  if (format === 'json' || format === 'jsonl') {
    await runtime.output.write(`${JSON.stringify({ name, ...masked })}\n`)
    return EXIT.done
  }
  const rows = leavesOf(masked).map(({ path, value }) => ({ key: path.join('.'), value }))
  await printRows([{ key: 'name', value: name }, ...rows], ['key', 'value'], format, runtime)
  return EXIT.done
}

/** An entry with its secrets hidden, whether or not it is valid. */
export async function maskedEntry(kind: EntryKind, name: string, settings: Settings): Promise<Entry> {
  const entry: Entry = kind.what === 'source' ? settings.sourceEntry(name) : settings.streamEntry(name)
  const schema = await schemaOf(kind, entry, settings)
  return maskSecrets(entry, schema, [kind.tag]) as Entry
}

/** The schema of an entry's type; undefined for a type nobody knows. */
export async function schemaOf(
  kind: EntryKind,
  entry: Entry,
  settings: Pick<Settings, 'registries'>,
): Promise<EntrySchema | undefined> {
  const { sources, destinations } = settings.registries
  const type = String(entry[kind.tag])
  const registry: Readonly<Record<string, () => Promise<{ readonly options: EntrySchema }>>> =
    kind.what === 'source' ? sources : destinations
  return Object.hasOwn(registry, type) ? (await registry[type]?.())?.options : undefined
}

/** The registries, real or handed in. */
export function registriesOf(extras: SettingsExtras): Promise<Registries> {
  return extras.registries === undefined ? loadRegistries() : Promise.resolve(extras.registries)
}

async function withPipedSecrets(
  entry: Entry,
  schema: EntrySchema,
  fields: readonly string[],
  runtime: Runtime,
): Promise<Entry> {
  if (fields.length === 0) return entry
  for (const field of fields) {
    if (isSecretAt(schema, field.split('.'))) continue
    throw new UserError(`--secret-stdin ${field}: this is not a secret of the type`, {
      hint: `its secrets: ${secretPaths(schema, entry).join(', ') || 'none'}`,
    })
  }
  const values = await readSecrets(runtime.io, fields)
  return fields.reduce((next, field, i) => setAt(next, field.split('.'), values[i] ?? ''), entry)
}

function withEntry(config: Config, section: EntryKind['section'], name: string, entry: Entry): Config {
  return { ...config, [section]: setAt(config[section], [name], entry) } as Config
}

function incomplete(what: string, name: string, problems: readonly string[]): UserError {
  const error = configError(`${what} add ${name}`, problems)
  return new UserError(error.message, {
    code: 'config',
    hint: 'give each as --set KEY=VALUE, a secret as --set KEY=env:NAME or through --secret-stdin KEY; nothing was written',
  })
}

async function rowOf(kind: EntryKind, name: string, settings: Settings): Promise<Row> {
  const entry = await maskedEntry(kind, name, settings)
  const target =
    entry['url'] ??
    entry['endpoint'] ??
    entry['bucket'] ??
    entry['container'] ??
    entry['path'] ??
    entry['site']
  const common = { name, [kind.tag]: entry[kind.tag], target: target ?? null }
  if (kind.what === 'stream') return { ...common, sources: entry['sources'] ?? null }
  const { config } = settings.file
  return {
    ...common,
    default: isDefault(name, settings),
    origin: Object.hasOwn(config.sources, name) ? 'file' : 'environment',
  }
}

function isDefault(name: string, settings: Settings): boolean {
  try {
    return settings.sourceName() === name
  } catch {
    // Several sources and no default: none of them is.
    return false
  }
}
