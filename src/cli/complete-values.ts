import type { Environment } from '../config/paths.ts'

/**
 * What `auditctl __complete KIND` prints, a word a line: names of sources, streams and runs, event types, providers or types of source. Reads only what is there
 * already, and prints nothing rather than an error: a shell is waiting.
 */
export async function completeValues(kind: string, env: Environment): Promise<readonly string[]> {
  try {
    if (kind === 'provider') return Object.keys((await import('../destinations/registry.ts')).DESTINATIONS)
    if (kind === 'source-type') return Object.keys((await import('../sources/registry.ts')).SOURCES)
    if (kind === 'source' || kind === 'stream') {
      const { loadConfig } = await import('../config/load.ts')
      const { configPath } = await import('../config/paths.ts')
      const { config } = loadConfig(configPath(env), { mustExist: false })
      return Object.keys(kind === 'source' ? config.sources : config.streams)
    }
    if (kind === 'run') {
      const { stateDir } = await import('../config/paths.ts')
      const { existsSync } = await import('node:fs')
      const { join } = await import('node:path')
      // Opening a ledger makes one; a shell that completes must leave no trace.
      if (!existsSync(join(stateDir(env), 'ledger.db'))) return []
      const { Ledger } = await import('../state/ledger.ts')
      const { systemClock } = await import('./runtime.ts')
      const ledger = await Ledger.open(stateDir(env), systemClock)
      try {
        return ledger.listRuns().map(({ id }) => id)
      } finally {
        ledger.close()
      }
    }
    if (kind === 'event-type') {
      const type = await defaultSourceType(env)
      if (type === 'infisical') {
        const { knownEventTypes } = await import('../sources/infisical/vocabulary.ts')
        return knownEventTypes()
      }
      const { SOURCES } = await import('../sources/registry.ts')
      return (await SOURCES[type]?.())?.shape?.knownEventTypes ?? []
    }
  } catch {
    return []
  }
  return []
}

/** What the events of the usual source are; `infisical` where nothing says otherwise. */
async function defaultSourceType(env: Environment): Promise<string> {
  const { loadConfig } = await import('../config/load.ts')
  const { configPath } = await import('../config/paths.ts')
  const { config } = loadConfig(configPath(env), { mustExist: false })
  const sources: Readonly<Record<string, { readonly type?: unknown; readonly of?: unknown }>> = config.sources
  const source = sources[config.defaultSource ?? ''] ?? Object.values(sources)[0]
  const type = source?.type === 'file' ? source.of : source?.type
  return typeof type === 'string' ? type : 'infisical'
}
