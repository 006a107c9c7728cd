import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { classOf, loadPackage } from '../../src/storage/objects/load-package.ts'
import { freePort, untilAnswered } from './free-port.ts'

// The account of every Azurite; published, no secret. @source https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

const SDK = '@azure/storage-blob'

export type BlobServer = { readonly settings: Readonly<Record<string, string>>; close(): Promise<void> }

/** Microsoft's own emulator of Azure Blob Storage, with one empty container. */
export async function startAzurite(container: string): Promise<BlobServer> {
  const folder = await mkdtemp(join(tmpdir(), 'auditctl-azurite-'))
  const port = await freePort()
  const program = join(import.meta.dirname, 'node_modules/azurite/dist/src/blob/main.js')
  const flags = ['--silent', '--skipApiVersionCheck', '--disableTelemetry', '--disableProductStyleUrl']
  const server = spawn(
    process.execPath,
    [program, '--blobPort', String(port), '--location', folder, ...flags],
    { stdio: 'ignore' },
  )
  let isGone = false
  const gone = new Promise<void>((resolve) => {
    server.once('close', () => {
      isGone = true
      resolve()
    })
  })
  const close = async (): Promise<void> => {
    server.kill()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`
    await untilAnswered(endpoint, 60_000, () => isGone)
    await createContainer(endpoint, container)
    return { settings: { endpoint, account: ACCOUNT, accountKey: KEY, container }, close }
  } catch (error) {
    await close()
    throw error
  }
}

// Loaded by name: the compiler also runs where this folder's packages are not installed.
async function createContainer(endpoint: string, container: string): Promise<void> {
  const sdk = await loadPackage(SDK, 'Azurite')
  const credential = new (classOf<object>(sdk, 'StorageSharedKeyCredential', SDK))(ACCOUNT, KEY)
  const Client = classOf<{ createContainer(name: string): Promise<unknown> }>(sdk, 'BlobServiceClient', SDK)
  await new Client(endpoint, credential).createContainer(container)
}
