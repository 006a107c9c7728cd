import { leavesOf } from '../config/mask.ts'
import { configPath, type Environment, stateDir } from '../config/paths.ts'
import { defaultsOf, isSecretAt, valueAtPath } from '../config/schema-walk.ts'
import { isReference } from '../config/secrets.ts'
import { formatDuration } from '../core/duration.ts'
import { type EntryKind, maskedEntry, SOURCE_KIND, STREAM_KIND, schemaOf } from './entry-actions.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { Settings } from './settings.ts'

/** One setting in force and where it comes from: a flag, a variable of the environment, the file, or a default. */
export type ConfigRow = { readonly key: string; readonly value: unknown; readonly origin: string }

/** Every setting in force, secrets as `***`. */
export async function configRows(
  settings: Settings,
  invocation: Invocation,
  env: Environment,
): Promise<readonly ConfigRow[]> {
  const { config, text } = settings.file
  const rows: ConfigRow[] = [configRow(invocation, env), stateRow(env)]
  if (text !== undefined) rows.push({ key: 'version', value: config.version, origin: 'file' })
  rows.push(...sourceRow(settings, invocation, env), ...optionRows(invocation, env))
  for (const name of settings.sourceNames) rows.push(...(await entryRows(SOURCE_KIND, name, settings)))
  for (const name of settings.streamNames) rows.push(...(await entryRows(STREAM_KIND, name, settings)))
  return rows
}

function configRow(invocation: Invocation, env: Environment): ConfigRow {
  const flag = textOption(invocation, 'config')
  const origin = originOf(flag, 'config', 'AUDITCTL_CONFIG', env) ?? xdgOrigin(env, 'XDG_CONFIG_HOME')
  return { key: 'config', value: configPath(env, flag), origin }
}

function stateRow(env: Environment): ConfigRow {
  const origin = env['AUDITCTL_STATE_DIR']
    ? 'environment AUDITCTL_STATE_DIR'
    : xdgOrigin(env, 'XDG_STATE_HOME')
  return { key: 'state', value: stateDir(env), origin }
}

/** The source that a command reads when it is told nothing else. */
function sourceRow(settings: Settings, invocation: Invocation, env: Environment): ConfigRow[] {
  const { config } = settings.file
  const flag = textOption(invocation, 'source')
  const origin = originOf(flag, 'source', 'AUDITCTL_SOURCE', env)
  if (origin !== undefined) return [{ key: 'defaultSource', value: settings.sourceName(), origin }]
  if (config.defaultSource !== undefined) {
    return [{ key: 'defaultSource', value: config.defaultSource, origin: 'file' }]
  }
  try {
    return [{ key: 'defaultSource', value: settings.sourceName(), origin: 'default' }]
  } catch {
    // None, or several: there is no default to show.
    return []
  }
}

/** What every command understands, with the value that holds where nobody says another; null where that is the command's own. */
const OPTIONS: Readonly<Record<string, string | null>> = {
  shape: 'native',
  settle: '60s',
  concurrency: null,
  'max-rate': null,
  timeout: null,
  retries: null,
  deadline: null,
  'log-format': 'text',
  tz: 'UTC',
  time: 'utc',
  'metrics-file': null,
}

function optionRows(invocation: Invocation, env: Environment): ConfigRow[] {
  return Object.entries(OPTIONS).flatMap(([option, fallback]) => {
    const variable = `AUDITCTL_${option.replaceAll('-', '_').toUpperCase()}`
    const name = option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const given = textOption(invocation, name) ?? (env[variable] || undefined)
    const origin = originOf(given, option, variable, env)
    if (origin !== undefined) return [{ key: `--${option}`, value: given, origin }]
    return fallback === null ? [] : [{ key: `--${option}`, value: fallback, origin: 'default' }]
  })
}

async function entryRows(kind: EntryKind, name: string, settings: Settings): Promise<ConfigRow[]> {
  const entry = kind.what === 'source' ? settings.sourceEntry(name) : settings.streamEntry(name)
  const schema = await schemaOf(kind, entry, settings)
  const masked = await maskedEntry(kind, name, settings)
  const isOwn = Object.hasOwn(settings.file.config[kind.section], name)
  const given = leavesOf(masked).map(({ path, value }) => {
    const origin = isOwn ? 'file' : 'environment'
    const isSecret = schema !== undefined && isSecretAt(schema, path)
    const reference = isSecret ? referenceOf(valueAtPath(entry, path)) : ''
    return { key: [kind.section, name, ...path].join('.'), value, origin: origin + reference }
  })
  const defaults = schema === undefined ? [] : defaultsOf(schema, entry)
  return [
    ...given,
    ...defaults.map(({ path, value, isDuration }) => ({
      key: [kind.section, name, ...path].join('.'),
      value: isDuration && typeof value === 'number' ? formatDuration(value) : value,
      origin: 'default',
    })),
  ]
}

/** Where a secret is kept, without saying what it is; the words of a command may hold a secret of their own. */
function referenceOf(value: unknown): string {
  if (typeof value !== 'string') return ''
  if (!isReference(value)) return ', literal'
  return value.startsWith('cmd:') ? ', from a command' : `, from ${value}`
}

function originOf(
  flag: string | undefined,
  option: string,
  variable: string,
  env: Environment,
): string | undefined {
  // The parser fills an option from its variable: only another value was typed.
  if (flag !== undefined && flag !== env[variable]) return `flag --${option}`
  return env[variable] ? `environment ${variable}` : undefined
}

function xdgOrigin(env: Environment, variable: string): string {
  return env[variable] ? `environment ${variable}` : 'default'
}
