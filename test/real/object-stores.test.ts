import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { StoreSettings } from '../../src/storage/objects/open-store.ts'
import { startAzurite } from './azurite.ts'
import { radosgwMissing, startRadosgw } from './radosgw.ts'
import { type RealServer, settingsOf, storeSuite } from './store-suite.ts'

const CONTAINER = 'audit'

async function sandbox(kind: StoreSettings['kind']): Promise<RealServer> {
  const start = await SANDBOXES[kind]?.()
  if (start === undefined) throw new Error(`${kind} has no sandbox`)
  const server = await start({
    seed: 1,
    generation: '2026',
    recent: false,
    faults: faultPlan(),
    now: Date.now,
  })
  return { settings: settingsOf(kind, server.config.streams?.['lake'] ?? {}), close: () => server.close() }
}

storeSuite('S3: the strict sandbox', () => sandbox('s3'))
storeSuite('Google Cloud Storage: the strict sandbox', () => sandbox('gcs'))
storeSuite('Azure Blob Storage: the strict sandbox', () => sandbox('azure-blob'))

storeSuite('Azure Blob Storage: Azurite', async () => {
  const server = await startAzurite(CONTAINER)
  return { settings: settingsOf('azure-blob', server.settings), close: server.close }
})

storeSuite(
  'S3: radosgw',
  async () => {
    const server = await startRadosgw(CONTAINER)
    return { settings: settingsOf('s3', server.settings), close: server.close }
  },
  radosgwMissing(),
)
