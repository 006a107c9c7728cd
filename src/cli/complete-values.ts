import type { Environment } from '../config/paths.ts'

/**
 * What `auditctl __complete KIND` prints, a word a line: names of sources, streams and runs, or event types. Reads only what is there
 * already, and prints nothing rather than an error: a shell is waiting.
 */
export async function completeValues(kind: string, env: Environment): Promise<readonly string[]> {
  try {
    if (kind === 'source' || kind === 'stream') {
      const { loadConfig } = await import('../config/load.ts')
      const { configPath } = await import('../config/paths.ts')
      const { config } = loadConfig(configPath(env), { mustExist: false })
      return Object.keys(kind === 'source' ? config.sources : config.streams)
    }
    if (kind === 'run') {
      const { stateDir } = await import('../config/paths.ts')
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
      const { knownEventTypes } = await import('../sources/infisical/vocabulary.ts')
      return knownEventTypes()
    }
  } catch {
    return []
  }
  return []
}
