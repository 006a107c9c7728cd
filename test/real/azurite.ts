import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, untilAnswered } from './free-port.ts'

// The account of every Azurite; published, no secret. @source https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

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
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob')
    await new BlobServiceClient(endpoint, new StorageSharedKeyCredential(ACCOUNT, KEY)).createContainer(
      container,
    )
    return { settings: { endpoint, account: ACCOUNT, accountKey: KEY, container }, close }
  } catch (error) {
    await close()
    throw error
  }
}
