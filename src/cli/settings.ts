import { environmentSources, missingVariables } from '../config/environment.ts'
import type { StreamCommon } from '../config/fields.ts'
import { readKeychain } from '../config/keychain.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { configPath, type Environment } from '../config/paths.ts'
import { configError, type SourceEntry, type StreamEntry } from '../config/schema.ts'
import { isReadableByOthers, refuseForeignCommand, secretResolver } from '../config/secrets.ts'
import type { Destination } from '../core/destination.ts'
import { UserError } from '../core/errors.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Log } from '../core/runtime.ts'
import { bindSecrets } from '../core/secret.ts'
import type { AuditSource } from '../core/source.ts'
import { suggestion } from '../core/suggest.ts'
import type { DestinationDefinition, DestinationParts } from '../destinations/define-destination.ts'
import type { InventoryParts } from '../inventories/define-inventory.ts'
import type { SourceDefinition, SourceParts } from '../sources/define-source.ts'
import {
  checkSource,
  checkStream,
  definitionOf,
  holdsLiteral,
  loadRegistries,
  type Registries,
  withAbsolutePaths,
} from './entries.ts'

export type SettingsRequest = {
  readonly env: Environment
  readonly flags: { readonly config?: string | undefined; readonly source?: string | undefined }
  readonly log: Log
  readonly signal: AbortSignal
  /** The file named by a flag may be missing: the command is going to write it. */
  readonly mayCreate?: boolean
  /** `--timeout`, for what does not go through the HTTP client of the command: object stores. */
  readonly timeoutMs?: number | undefined
  readonly registries?: Registries
  readonly keychain?: (name: string) => Promise<string | null>
}

/** A stream's parsed settings, its secrets bound, its paths absolute. */
export type StreamSettings = { readonly definition: DestinationDefinition; readonly options: StreamCommon }
export type SourceSettings = { readonly definition: SourceDefinition; readonly options: object }

export interface Settings {
  readonly file: LoadedConfig
  readonly registries: Registries
  /** Configured sources first, then those of the environment. */
  readonly sourceNames: readonly string[]
  readonly streamNames: readonly string[]
  /** `--source`, else `defaultSource`, else the only one, else the environment's. @throws UserError when that names none, or not just one */
  sourceName(): string
  /** As written. @throws UserError naming the nearest one */
  sourceEntry(name: string): SourceEntry
  streamEntry(name: string): StreamEntry
  /** @throws UserError naming every wrong key */
  sourceSettings(name: string): Promise<SourceSettings>
  streamSettings(name: string): Promise<StreamSettings>
  /** @throws UserError when the stream's `sources` leaves the source out */
  checkPair(source: string, stream: string): void
  openSource(name: string, parts: Omit<SourceParts, 'baseDir' | 'shape'>): Promise<AuditSource>
  openStream(name: string, parts: Omit<DestinationParts, 'baseDir'>): Promise<Destination>
  /** Undefined when the stream cannot be searched, or has no search credentials. */
  openInventory(
    stream: string,
    sourceType: string,
    /** `sourceName`: the source that is compared, where it is known. */
    parts: Omit<InventoryParts, 'baseDir' | 'sourceType' | 'sourceNames'> & { readonly sourceName?: string },
  ): Promise<Inventory | undefined>
}

/**
 * The configuration in force, checked as far as its frame; an entry is checked when it is opened.
 * @throws UserError for a file that cannot be read or is not valid
 */
export async function loadSettings(request: SettingsRequest): Promise<Settings> {
  const { env, flags, timeoutMs } = request
  // The variable may be set once and for all, before there is a file; a flag is typed for a file that is there.
  const mustExist = Boolean(flags.config) && flags.config !== env['AUDITCTL_CONFIG'] && !request.mayCreate
  const file = loadConfig(configPath(env, flags.config), { mustExist })
  const registries = request.registries ?? (await loadRegistries())
  const { config, path, baseDir } = file
  const fromEnvironment = environmentSources(env)
  const sources = new Map([
    ...Object.entries(config.sources),
    ...missingFrom(config.sources, fromEnvironment),
  ])
  const streams = new Map(Object.entries(config.streams))

  const resolver = secretResolver({
    env,
    configFile: path,
    keychain: request.keychain ?? readKeychain,
    async runCommand(line) {
      const { runCommand, splitCommand } = await import('../storage/command.ts')
      const limits = { maxBytes: 65_536, timeoutMs: 60_000 }
      return runCommand(splitCommand(line), { signal: request.signal, cwd: baseDir, ...limits })
    },
  })
  /** Kept, so that each secret is resolved once however often its entry is opened. */
  const sourceCache = new Map<string, Promise<SourceSettings>>()
  const streamCache = new Map<string, Promise<StreamSettings>>()
  const ready = <Options extends object>(options: Options): Options => {
    bindSecrets(options, resolver)
    if (file.file !== undefined && isReadableByOthers(file.file.mode) && holdsLiteral(options)) {
      request.log.warn(`${path} holds a secret in plain text and others can read it: chmod 600 ${path}`)
    }
    return withAbsolutePaths(options, baseDir)
  }

  const settings: Settings = {
    file,
    registries,
    sourceNames: [...sources.keys()],
    streamNames: [...streams.keys()],
    sourceName() {
      const asked = flags.source || env['AUDITCTL_SOURCE'] || config.defaultSource
      if (asked) {
        settings.sourceEntry(asked)
        return asked
      }
      const own = Object.keys(config.sources)
      const candidates = own.length === 1 ? own : Object.keys(fromEnvironment)
      const [only] = candidates
      if (candidates.length === 1 && only !== undefined) return only
      throw ambiguous(settings.sourceNames, env, file)
    },
    sourceEntry: (name) => entryOf(sources, name, 'source', missingVariables(env)),
    streamEntry: (name) => entryOf(streams, name, 'stream', undefined),
    sourceSettings(name) {
      const entry = settings.sourceEntry(name)
      return cached(sourceCache, name, async () => {
        const checked = await checkSource(name, entry, registries.sources)
        if (!checked.ok) {
          throw configError(Object.hasOwn(config.sources, name) ? path : 'the environment', checked.problems)
        }
        return { definition: checked.definition, options: ready(checked.options) }
      })
    },
    streamSettings(name) {
      const entry = settings.streamEntry(name)
      return cached(streamCache, name, async () => {
        const checked = await checkStream(name, entry, registries.destinations)
        if (!checked.ok) throw configError(path, checked.problems)
        return { definition: checked.definition, options: ready(checked.options) }
      })
    },
    checkPair(source, stream) {
      const allowed = settings.streamEntry(stream)['sources']
      if (!Array.isArray(allowed) || allowed.includes(source)) return
      throw new UserError(`The stream ${stream} may not be paired with the source ${source}`, {
        code: 'pair',
        hint: `streams.${stream}.sources allows ${allowed.join(', ') || 'none'}`,
      })
    },
    async openSource(name, parts) {
      const { definition, options } = await settings.sourceSettings(name)
      const shape = async (type: string) =>
        (await definitionOf(type, registries.sources, `sources.${name}.of`)).shape
      return definition.create(name, options, { timeoutMs, ...parts, baseDir, shape })
    },
    async openStream(name, parts) {
      const { definition, options } = await settings.streamSettings(name)
      return definition.create(name, options, { timeoutMs, ...parts, baseDir })
    },
    async openInventory(stream, sourceType, parts) {
      const { definition, options } = await settings.streamSettings(stream)
      const kind = inventoryKind(options)
      if (kind === 'command')
        await refuseForeignCommand(path, `The inventory command of the stream ${stream}`)
      const load = registries.inventories[kind ?? definition.provider]
      if (load === undefined) return undefined
      const sourceNames = heldSources(sources, sourceType, parts.sourceName)
      return (await load()).create(stream, options, { timeoutMs, ...parts, baseDir, sourceType, sourceNames })
    },
  }
  return settings
}

/**
 * The sources under whose names a stream may hold the events of one: its own, and those of files that hold the same product's events, since
 * a hole may have been refilled from a download.
 */
function heldSources(
  sources: ReadonlyMap<string, SourceEntry>,
  type: string,
  name: string | undefined,
): readonly string[] {
  const isFile = (source: string | undefined) => sources.get(source ?? '')?.type === 'file'
  const same = [...sources]
    .filter(([, entry]) => (entry.type === 'file' ? (entry['of'] ?? 'infisical') : entry.type) === type)
    .map(([source]) => source)
  const beside = name === undefined || isFile(name) ? same : same.filter(isFile)
  const all = new Set(name === undefined ? beside : [name, ...beside])
  return all.size === 0 ? [type] : [...all]
}

/** A stream's own `inventory` takes the place of its provider's search. */
function inventoryKind({ inventory }: StreamCommon): 'command' | 'url' | undefined {
  if (inventory === undefined) return undefined
  return 'command' in inventory ? 'command' : 'url'
}

function cached<Value>(cache: Map<string, Promise<Value>>, name: string, make: () => Promise<Value>) {
  const value = cache.get(name) ?? make()
  cache.set(name, value)
  return value
}

function missingFrom(own: object, added: Readonly<Record<string, SourceEntry>>): [string, SourceEntry][] {
  return Object.entries(added).filter(([name]) => !Object.hasOwn(own, name))
}

function entryOf<Value>(
  entries: ReadonlyMap<string, Value>,
  name: string,
  what: 'source' | 'stream',
  variable: string | undefined,
): Value {
  const entry = entries.get(name)
  if (entry !== undefined) return entry
  const advice =
    variable !== undefined && name.startsWith('env')
      ? `set ${variable}`
      : suggestion(name, [...entries.keys()])
  throw new UserError(`there is no ${what} named ${JSON.stringify(name)}`, {
    code: `unknown-${what}`,
    hint: advice ?? `auditctl ${what} add ${name} configures one`,
  })
}

function ambiguous(names: readonly string[], env: Environment, file: LoadedConfig): UserError {
  if (names.length > 0) {
    return new UserError('Which source?', {
      code: 'which-source',
      hint: `--source ${names.join(', --source ')}; or auditctl config set defaultSource ${names[0]}`,
    })
  }
  const variable = missingVariables(env)
  const where = file.text === undefined ? `, and there is no file ${file.path}` : ` in ${file.path}`
  return new UserError(`No source is configured${where}`, {
    code: 'no-source',
    hint:
      variable === undefined
        ? 'auditctl source add NAME --type infisical, or set INFISICAL_API_URL and INFISICAL_TOKEN'
        : `set ${variable} as well, or use auditctl source add`,
  })
}
