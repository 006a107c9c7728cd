import type { Destination } from '../../src/core/destination.ts'
import type { Inventory } from '../../src/core/inventory.ts'
import { SILENT } from '../../src/core/runtime.ts'
import type { TimeRange } from '../../src/core/time-range.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import { FAKE_START, fakeClock } from './fake-clock.ts'
import type { MemoryBucket } from './memory-objects.ts'

export type ArchiveTrial = {
  readonly destination: Destination
  readonly inventory: Inventory
  readonly warned: string[]
}

/** A stream of object storage and its inventory over a bucket in memory. */
export async function archiveStream(
  bucket: MemoryBucket,
  settings: Record<string, unknown> = {},
  provider: 's3' | 'gcs' | 'azure-blob' = 's3',
): Promise<ArchiveTrial> {
  const clock = fakeClock(FAKE_START)
  const warned: string[] = []
  const parts = {
    http: createHttpClient({ clock, log: SILENT, env: {}, version: 'test' }),
    clock,
    log: { ...SILENT, warn: (message: string) => void warned.push(message) },
    baseDir: '.',
    openStore: bucket.open,
  }
  const definition = await DESTINATIONS[provider]?.()
  const held = await INVENTORIES[provider]?.()
  const place = provider === 'azure-blob' ? { container: 'memory', account: 'acme' } : { bucket: 'memory' }
  const options = definition?.options.parse({ provider, ...place, ...settings })
  const destination = definition?.create('lake', options, parts)
  const inventory = held?.create('lake', options, { ...parts, sourceType: 'infisical' })
  if (destination === undefined || inventory === undefined) throw new Error(`${provider} is not registered`)
  return { destination, inventory, warned }
}

export async function heldIn(
  inventory: Inventory,
  window: TimeRange,
): Promise<{ ids: string[]; atMs: number[]; reason: string | undefined }> {
  const signal = new AbortController().signal
  const ids: string[] = []
  const atMs: number[] = []
  const rows = inventory.ids(window, { signal })
  for (;;) {
    const step = await rows.next()
    if (step.done === true)
      return { ids, atMs, reason: step.value.exhausted ? undefined : (step.value.reason ?? '') }
    ids.push(...step.value.ids)
    atMs.push(...(step.value.atMs ?? []))
  }
}
