import { existsSync } from 'node:fs'
import { saveConfig } from '../../config/load.ts'
import { configPath } from '../../config/paths.ts'
import { type Config, configError, type Entry } from '../../config/schema.ts'
import { valueAtPath } from '../../config/schema-walk.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { suggestion } from '../../core/suggest.ts'
import { parseKey } from '../config-key.ts'
import { configRows } from '../config-rows.ts'
import { checkSource, checkStream } from '../entries.ts'
import {
  type EntryKind,
  maskedEntry,
  type SettingsExtras,
  SOURCE_KIND,
  STREAM_KIND,
  schemaOf,
  settingsFor,
} from '../entry-actions.ts'
import { readValue, refuseSecret, setAt } from '../entry-builder.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { printRows, rowFormat } from '../print-rows.ts'
import type { Runtime } from '../runtime.ts'
import type { Settings } from '../settings.ts'

/** `config path|validate|show|get|set`. */
export async function configCommand(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras = {},
): Promise<ExitCode> {
  const action = invocation.path[1]
  if (action === 'path') return printPath(invocation, runtime)
  const mayCreate = action === 'set' || action === 'show'
  const settings = await settingsFor(invocation, runtime, { ...extras, mayCreate })
  switch (action) {
    case 'validate':
      return validate(settings, invocation, runtime)
    case 'show':
      return show(settings, invocation, runtime)
    case 'get':
      return get(settings, invocation, runtime)
    case 'set':
      return set(settings, invocation, runtime)
    default:
      throw new UserError('config has path, validate, show, get and set')
  }
}

async function printPath(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const path = configPath(runtime.io.env, textOption(invocation, 'config'))
  const wantsJson = flagOption(invocation, 'json') || textOption(invocation, 'output')?.startsWith('json')
  await runtime.output.write(
    wantsJson ? `${JSON.stringify({ path, exists: existsSync(path) })}\n` : `${path}\n`,
  )
  return EXIT.done
}

async function validate(settings: Settings, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const { path, text, config } = settings.file
  const problems: string[] = []
  for (const name of settings.sourceNames) problems.push(...(await problemsOf(SOURCE_KIND, name, settings)))
  for (const name of settings.streamNames) problems.push(...(await problemsOf(STREAM_KIND, name, settings)))
  for (const [name, entry] of Object.entries(config.streams)) {
    const allowed = Array.isArray(entry['sources']) ? entry['sources'].map(String) : []
    for (const source of allowed.filter((one) => !settings.sourceNames.includes(one))) {
      const near = suggestion(source, settings.sourceNames)
      problems.push(`streams.${name}.sources: there is no source named ${JSON.stringify(source)}; ${near}`)
    }
  }
  if (problems.length > 0) throw configError(path, problems)
  // Opening the settings of each entry warns of secrets that others can read.
  for (const name of settings.sourceNames) await settings.sourceSettings(name)
  for (const name of settings.streamNames) await settings.streamSettings(name)
  const [sources, streams] = [settings.sourceNames.length, settings.streamNames.length]
  const format = rowFormat(invocation, runtime)
  await runtime.output.write(
    format === 'table'
      ? `${text === undefined ? `there is no ${path}; nothing is wrong` : `${path} is valid`}: ${sources} sources, ${streams} streams\n`
      : `${JSON.stringify({ path, valid: true, sources, streams })}\n`,
  )
  return EXIT.done
}

async function show(settings: Settings, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const rows = await configRows(settings, invocation, runtime.io.env)
  const withOrigin = flagOption(invocation, 'origin')
  const shown = withOrigin ? rows : rows.map(({ key, value }) => ({ key, value }))
  const columns = withOrigin ? ['key', 'value', 'origin'] : ['key', 'value']
  await printRows(shown, columns, rowFormat(invocation, runtime), runtime)
  return EXIT.done
}

async function get(settings: Settings, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const [key = ''] = invocation.args
  const { config } = settings.file
  const parsed = parseKey(key, config)
  let value: unknown
  if (parsed.kind === 'top') value = config[parsed.name]
  else if (parsed.kind === 'section') {
    const names = parsed.entry.what === 'source' ? settings.sourceNames : settings.streamNames
    const entries = names.map(
      async (name) => [name, await maskedEntry(parsed.entry, name, settings)] as const,
    )
    value = Object.fromEntries(await Promise.all(entries))
  } else value = valueAtPath(await maskedEntry(parsed.entry, parsed.name, settings), parsed.path)
  if (value === undefined) {
    throw new UserError(`${key} is not set`, {
      code: 'not-set',
      hint: 'auditctl config show lists what is',
    })
  }
  const asText = typeof value === 'string' && !flagOption(invocation, 'json')
  await runtime.output.write(`${asText ? value : JSON.stringify(value)}\n`)
  return EXIT.done
}

async function set(settings: Settings, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const [key = '', text = ''] = invocation.args
  const { config, path } = settings.file
  const parsed = parseKey(key, config)
  if (parsed.kind === 'section' || (parsed.kind === 'top' && parsed.name === 'version')) {
    throw new UserError(`${key} is not set this way`, {
      hint: parsed.kind === 'section' ? `auditctl ${parsed.entry.what} add NAME adds an entry` : undefined,
    })
  }
  let next: Config
  if (parsed.kind === 'top') {
    settings.sourceEntry(text)
    next = { ...config, defaultSource: text }
  } else next = await withSetting(settings, parsed.entry, parsed.name, parsed.path, text, key)
  await saveConfig(settings.file, next)
  runtime.log.info(`set ${key} in ${path}`)
  return EXIT.done
}

async function withSetting(
  settings: Settings,
  kind: EntryKind,
  name: string,
  at: readonly string[],
  text: string,
  key: string,
): Promise<Config> {
  const { config, path } = settings.file
  const before: Entry | undefined = Object.hasOwn(config[kind.section], name)
    ? config[kind.section][name]
    : undefined
  if (before === undefined || at.length === 0) {
    throw new UserError(
      before === undefined
        ? `There is no ${kind.what} named ${name} in ${path}`
        : `${key} is a whole ${kind.what}`,
      { hint: `auditctl ${kind.what} add ${name} adds one; config set changes one key of it` },
    )
  }
  const schema = await schemaOf(kind, before, settings)
  const isTag = at.length === 1 && at[0] === kind.tag
  if (schema === undefined && !isTag) throw configError(path, await problemsOf(kind, name, settings))
  const value = schema === undefined || isTag ? text : readValue(text, schema, at)
  if (schema !== undefined) {
    const literally = `a literal is only taken by ${kind.what} add, from stdin or on a terminal`
    refuseSecret(value, schema, at, at.join('.'), literally)
  }
  const entry = setAt(before, at, value)
  const next = { ...config, [kind.section]: { ...config[kind.section], [name]: entry } } as Config
  // What was wrong before may be set right one key at a time; only what this value adds is refused.
  const known = new Set(await problemsOf(kind, name, settings))
  const added = (await problemsOfEntry(kind, name, entry, settings)).filter((problem) => !known.has(problem))
  if (added.length > 0) throw configError(path, added)
  return next
}

function problemsOf(kind: EntryKind, name: string, settings: Settings): Promise<readonly string[]> {
  const entry = kind.what === 'source' ? settings.sourceEntry(name) : settings.streamEntry(name)
  return problemsOfEntry(kind, name, entry, settings)
}

async function problemsOfEntry(
  kind: EntryKind,
  name: string,
  entry: Entry,
  { registries }: Settings,
): Promise<readonly string[]> {
  const checked =
    kind.what === 'source'
      ? await checkSource(name, { ...entry, type: String(entry['type']) }, registries.sources)
      : await checkStream(name, { ...entry, provider: String(entry['provider']) }, registries.destinations)
  return checked.ok ? [] : checked.problems
}
