import * as z from 'zod'
import type { Registries } from '../../../src/cli/entries.ts'
import { duration, httpUrl, secret, sourceCommon, streamCommon } from '../../../src/config/fields.ts'
import type { Check } from '../../../src/core/check.ts'
import type { Destination } from '../../../src/core/destination.ts'
import type { Inventory } from '../../../src/core/inventory.ts'
import type { Secret } from '../../../src/core/secret.ts'
import type { AuditSource, EventShape } from '../../../src/core/source.ts'
import {
  type DestinationDefinition,
  defineDestination,
} from '../../../src/destinations/define-destination.ts'
import { defineInventory, type InventoryDefinition } from '../../../src/inventories/define-inventory.ts'
import { defineSource, type SourceDefinition } from '../../../src/sources/define-source.ts'

/** What the fakes were built with, and the checks that their tests give. */
export type FakeWorld = {
  opened: { kind: string; name: string; options: unknown; baseDir: string; sourceType?: string }[]
  closed: string[]
  sourceTest: () => Promise<readonly Check[]>
}

const sourceOptions = z.strictObject({
  ...sourceCommon,
  type: z.literal('vault'),
  url: httpUrl(),
  region: z.enum(['eu', 'us']).optional(),
  slack: duration().default(7_200_000),
  auth: z.discriminatedUnion('method', [
    z.strictObject({ method: z.literal('token'), token: secret() }),
    z.strictObject({ method: z.literal('universal-auth'), clientId: secret(), clientSecret: secret() }),
  ]),
})

const streamOptions = z.strictObject({
  ...streamCommon,
  provider: z.literal('siem'),
  url: httpUrl(),
  token: secret(),
  index: z.string().optional(),
  search: z.strictObject({ url: httpUrl(), token: secret() }).optional(),
})

const LIMITS = { maxEvents: 1000, maxBytes: 1_000_000, maxEventBytes: 500_000 }

/** A source type `vault`, a provider `siem`, its inventory, and a world that remembers what was made of them. */
export function fakeRegistries(): { readonly registries: Registries; readonly world: FakeWorld } {
  const world: FakeWorld = {
    opened: [],
    closed: [],
    sourceTest: async () => [{ check: 'reachable', state: 'ok', message: 'answered' }],
  }
  const vault = defineSource({
    type: 'vault',
    title: 'A vault',
    options: sourceOptions,
    shape: { type: 'vault' } as EventShape,
    notes: ['reads', 'never writes'],
    create(name, options, { baseDir }) {
      world.opened.push({ kind: 'source', name, options, baseDir })
      const closable = {
        name,
        test: () => world.sourceTest(),
        close: async () => void world.closed.push(name),
      }
      return closable as unknown as AuditSource
    },
  })
  const siem = defineDestination({
    provider: 'siem',
    title: 'A SIEM',
    options: streamOptions,
    limits: { default: { ...LIMITS, maxEvents: 100 }, hard: LIMITS },
    frame: { open: '', separator: '\n', close: '' },
    accepts: { pastMs: 64_800_000 },
    lateDefault: 'skip',
    graceMs: 90_000,
    searchable: 'ids',
    guide: () => '1. Make a token\n',
    create(name, options, { baseDir }) {
      world.opened.push({ kind: 'stream', name, options, baseDir })
      const closable = {
        name,
        test: async ({ send }: { send: boolean }) => [
          { check: 'delivery', state: 'ok', message: send ? 'sent one' : 'sent none' } as const,
        ],
        close: async () => void world.closed.push(name),
      }
      return closable as unknown as Destination
    },
  })
  const search = defineInventory<z.output<typeof streamOptions>>({
    provider: 'siem',
    create(name, options, { baseDir, sourceType }) {
      if (options.search === undefined) return undefined
      world.opened.push({ kind: 'inventory', name, options, baseDir, sourceType })
      const closable = {
        name,
        test: async () => [{ check: 'search token', state: 'failure', message: 'answered 403' } as const],
        close: async () => void world.closed.push(`${name} search`),
      }
      return closable as unknown as Inventory
    },
  })
  const registries = {
    sources: { vault: async () => vault as unknown as SourceDefinition },
    destinations: { siem: async () => siem as unknown as DestinationDefinition },
    inventories: { siem: async () => search as InventoryDefinition },
  }
  return { registries, world }
}

/** The secret at a key of parsed options, revealed. */
export function revealed(options: unknown, ...path: string[]): Promise<string> {
  let found = options
  for (const key of path) found = (found as Record<string, unknown>)[key]
  return (found as Secret).reveal()
}
