import { resolve } from 'node:path'
import type { StreamCommon } from '../config/fields.ts'
import { describeProblems } from '../config/problems.ts'
import type { Entry, SourceEntry, StreamEntry } from '../config/schema.ts'
import type { EntrySchema } from '../config/schema-walk.ts'
import { UserError } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { nearest } from '../core/suggest.ts'
import type { DestinationDefinition } from '../destinations/define-destination.ts'
import type { InventoryDefinition } from '../inventories/define-inventory.ts'
import type { SourceDefinition } from '../sources/define-source.ts'

type Registry<Definition> = Readonly<Record<string, () => Promise<Definition>>>

/** What can be configured; tests hand in their own. */
export type Registries = {
  readonly sources: Registry<SourceDefinition>
  readonly destinations: Registry<DestinationDefinition>
  readonly inventories: Registry<InventoryDefinition>
}

/** The real registries; each line of theirs loads its definition when it is asked for. */
export async function loadRegistries(): Promise<Registries> {
  const [sources, destinations, inventories] = await Promise.all([
    import('../sources/registry.ts'),
    import('../destinations/registry.ts'),
    import('../inventories/registry.ts'),
  ])
  return {
    sources: sources.SOURCES,
    destinations: destinations.DESTINATIONS,
    inventories: inventories.INVENTORIES,
  }
}

/** An entry that was checked, or what is wrong with it, a line each with the key's path. */
export type Checked<Definition, Options> =
  | { readonly ok: true; readonly definition: Definition; readonly options: Options }
  | { readonly ok: false; readonly problems: readonly string[]; readonly definition?: Definition }

export async function checkSource(
  name: string,
  entry: SourceEntry,
  registry: Registries['sources'],
): Promise<Checked<SourceDefinition, object>> {
  const load = Object.hasOwn(registry, entry.type) ? registry[entry.type] : undefined
  if (load === undefined)
    return { ok: false, problems: [unknown(`sources.${name}.type`, entry.type, registry)] }
  const definition = await load()
  return check(definition, entry, ['sources', name])
}

export async function checkStream(
  name: string,
  entry: StreamEntry,
  registry: Registries['destinations'],
): Promise<Checked<DestinationDefinition, StreamCommon>> {
  const load = Object.hasOwn(registry, entry.provider) ? registry[entry.provider] : undefined
  if (load === undefined) {
    return { ok: false, problems: [unknown(`streams.${name}.provider`, entry.provider, registry)] }
  }
  const definition = await load()
  const checked = check<DestinationDefinition, StreamCommon>(definition, entry, ['streams', name])
  if (!checked.ok) return checked
  const problems = limitProblems(`streams.${name}.batch`, checked.options, definition)
  return problems.length === 0 ? checked : { ok: false, definition, problems }
}

/** @throws UserError naming the nearest one */
export async function definitionOf<Definition>(
  name: string,
  registry: Registry<Definition>,
  what: string,
): Promise<Definition> {
  const load = Object.hasOwn(registry, name) ? registry[name] : undefined
  if (load !== undefined) return load()
  throw new UserError(unknown(what, name, registry), { code: 'unknown-type' })
}

/** Paths that the settings name start at the folder of the configuration file; URLs are left as they are. */
export function withAbsolutePaths<Options extends object>(options: Options, baseDir: string): Options {
  const { tls, archive } = options as Pick<StreamCommon, 'tls' | 'archive'>
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(baseDir, path))
  return {
    ...options,
    ...(tls === undefined
      ? {}
      : { tls: { ...tls, caFile: at(tls.caFile), certFile: at(tls.certFile), keyFile: at(tls.keyFile) } }),
    ...(archive === undefined
      ? {}
      : { archive: { ...archive, dir: isUrl(archive.dir) ? archive.dir : resolve(baseDir, archive.dir) } }),
  }
}

/** `s3://…`; a drive's single letter is no scheme. */
export function isUrl(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path)
}

/** Whether parsed settings hold a secret in plain text. */
export function holdsLiteral(options: unknown): boolean {
  if (options instanceof Secret) return options.origin === 'literal'
  if (options === null || typeof options !== 'object') return false
  return Object.values(options).some(holdsLiteral)
}

function check<Definition extends { readonly options: EntrySchema }, Options extends object>(
  definition: Definition,
  entry: Entry,
  prefix: readonly string[],
): Checked<Definition, Options> {
  const parsed = definition.options.safeParse(entry)
  if (parsed.success) return { ok: true, definition, options: parsed.data as Options }
  return {
    ok: false,
    definition,
    problems: describeProblems(parsed.error, definition.options, entry, prefix),
  }
}

function limitProblems(key: string, { batch }: StreamCommon, { limits }: DestinationDefinition): string[] {
  const over = (name: 'maxEvents' | 'maxBytes'): string[] => {
    const [asked, hard] = [batch?.[name], limits.hard[name]]
    if (asked === undefined || hard === null || asked <= hard) return []
    return [`${key}.${name}: found ${asked}; the provider takes at most ${hard}`]
  }
  return [...over('maxEvents'), ...over('maxBytes')]
}

function unknown(key: string, found: string, registry: Registry<unknown>): string {
  const allowed = Object.keys(registry)
  const near = nearest(found, allowed)
  const meant = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
  return `${key}: found ${JSON.stringify(found)}; allowed: ${allowed.join(', ')}${meant}`
}
