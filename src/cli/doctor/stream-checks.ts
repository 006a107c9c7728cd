import type { Check } from '../../core/check.ts'
import type { Destination } from '../../core/destination.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { AuditSource } from '../../core/source.ts'
import type { Ledger } from '../../state/ledger.ts'
import { withinKept } from '../kept-window.ts'
import type { Settings } from '../settings.ts'
import { acceptChecks } from './accept-checks.ts'
import { canaryChecks } from './canary.ts'
import { examine } from './examine.ts'
import { secretChecks } from './secret-checks.ts'
import type { DoctorParts } from './source-checks.ts'

export type StreamParts = DoctorParts & {
  /** Those that could be opened. */
  readonly sources: readonly AuditSource[]
  readonly ledger: Ledger | undefined
  readonly isCanary: boolean
}

/** One stream: secrets, ingestion, search, accept window against each source it may be paired with, and the canary where it was asked for. */
export async function streamChecks(name: string, parts: StreamParts): Promise<readonly Check[]> {
  const { settings, signal, clock } = parts
  const subject = `stream ${name}`
  let destination: Destination | undefined
  let inventory: Inventory | undefined
  const checks: Check[] = []
  const look = async (what: () => Promise<readonly Check[]>): Promise<readonly Check[]> => {
    const found = await examine(subject, what)
    checks.push(...found)
    return found
  }
  try {
    await look(async () => {
      const { options } = await settings.streamSettings(name)
      const secrets = await secretChecks(options)
      if (!secrets.some(isFailure)) destination = await settings.openStream(name, parts)
      return secrets
    })
    const opened = destination as Destination | undefined
    if (opened === undefined) return checks
    const paired = pairedSources(name, parts)
    const sourceTypes = [...new Set(paired.map(({ shape }) => shape.type))]
    const ingestion = await look(async () => {
      const tested = await opened.test({ send: false, sourceTypes, signal })
      // What a test without an event leaves open, the canary answers.
      return parts.isCanary ? tested.filter(({ check }) => check !== 'not proved') : tested
    })
    const type = paired[0]?.shape.type ?? 'infisical'
    const search = await look(async () => {
      inventory = await settings.openInventory(name, type, parts)
      return inventory === undefined ? [await notSearchable(name, settings)] : inventory.test(signal)
    })
    const { options } = await settings.streamSettings(name)
    const kept = await withinKept(opened, options, inventory as Inventory | undefined, signal)
    for (const source of paired) {
      const pair = { source, destination: kept, options, ledger: parts.ledger }
      await look(async () => acceptChecks(pair, clock.now()))
    }
    if (parts.isCanary && !ingestion.some(isFailure)) {
      const shape = paired[0]?.shape ?? (await parts.settings.registries.sources['infisical']?.())?.shape
      const searched = search.some(isFailure) ? undefined : (inventory as Inventory | undefined)
      if (shape !== undefined) {
        const canary = { destination: opened, inventory: searched, shape, clock, signal }
        await look(() => canaryChecks(canary))
      }
    }
    return checks
  } finally {
    await (inventory as Inventory | undefined)?.close()
    await (destination as Destination | undefined)?.close()
  }
}

function pairedSources(name: string, { settings, sources }: StreamParts): readonly AuditSource[] {
  const allowed = settings.streamEntry(name)['sources']
  return Array.isArray(allowed) ? sources.filter((source) => allowed.includes(source.name)) : sources
}

async function notSearchable(name: string, settings: Settings): Promise<Check> {
  const { definition } = await settings.streamSettings(name)
  const check = 'search'
  if (definition.searchable === 'no') {
    const message =
      'this provider cannot be searched: gaps and backfill --missing need --inventory FILE, or an inventory of the stream’s own'
    return { check, state: 'ok', message }
  }
  return {
    check,
    state: 'warning',
    message: 'no search credentials are configured, so what it lacks can only be told from --inventory FILE',
    hint: `searchable: ${definition.searchable}; auditctl stream guide ${definition.provider} shows the settings`,
  }
}

function isFailure({ state }: Check): boolean {
  return state === 'failure'
}
