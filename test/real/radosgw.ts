import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { accessSync, constants, mkdirSync, realpathSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { classOf, loadPackage } from '../../src/storage/objects/load-package.ts'
import type { S3Client } from '../../src/storage/objects/s3.ts'
import { freePort, untilAnswered } from './free-port.ts'

export type S3RealServer = { readonly settings: Readonly<Record<string, string>>; close(): Promise<void> }

const NEEDED = ['monmaptool', 'ceph-mon', 'ceph-osd', 'ceph', 'radosgw', 'radosgw-admin']
const KEYS = { accessKeyId: 'AUDITCTLREALTEST', secretAccessKey: 'auditctl-real-test-secret-key' }
const ATTEMPTS = 3
/** It takes a few seconds; a slow machine has ten times that. */
const COMMAND_MS = 60_000
const SDK = '@aws-sdk/client-s3'
const run = promisify(execFile)

/** Why radosgw cannot be tried here; false when it can. */
export function radosgwMissing(): string | false {
  const missing = NEEDED.filter((program) => pathOf(program) === undefined)
  if (missing.length === 0) return false
  return `${missing.join(', ')} not installed: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common`
}

/**
 * Ceph's S3 gateway over one monitor and one OSD in memory, as an ordinary user, without authentication among them; it takes about half a
 * minute. Programs that were only unpacked somewhere work too: their libraries are looked for beside them. A cluster that does not come up
 * is made anew: now and then its first client waits for ever.
 */
export async function startRadosgw(bucket: string): Promise<S3RealServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startCluster(bucket)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      const reason = error instanceof Error ? error.message : String(error)
      process.stderr.write(`radosgw did not start (${reason}), trying again\n`)
    }
  }
}

async function startCluster(bucket: string): Promise<S3RealServer> {
  const folder = await mkdtemp(join(tmpdir(), 'auditctl-radosgw-'))
  const started: ChildProcess[] = []
  const [monitorPort, port] = [await freePort(), await freePort()]
  const fsid = randomUUID()
  const osd = randomUUID()
  const { env, libraries } = surroundings()
  const config = join(folder, 'ceph.conf')
  const ask = (program: string, ...args: string[]) =>
    run(program, [...args, '-c', config], { env, timeout: COMMAND_MS, maxBuffer: 16 * 1024 * 1024 })
  const serve = (program: string, ...args: string[]): void => {
    started.push(spawn(program, [...args, '-f', '-c', config], { env, stdio: 'ignore' }))
  }
  const close = async (): Promise<void> => {
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGKILL')
      await gone
    }
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const name of ['mon', 'osd', 'rgw']) mkdirSync(join(folder, name))
    await writeFile(config, configText({ folder, fsid, monitorPort, port, libraries }))
    const map = join(folder, 'monmap')
    await ask('monmaptool', '--create', '--addv', 'a', `[v1:127.0.0.1:${monitorPort}]`, '--fsid', fsid, map)
    await ask('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map)
    serve('ceph-mon', '-i', 'a')
    await ask('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd)
    await ask('ceph', 'osd', 'new', osd, '0')
    serve('ceph-osd', '-i', '0')
    await ask(
      'radosgw-admin',
      ...['user', 'create', '--uid', 'audit', '--display-name', 'audit'],
      ...['--access-key', KEYS.accessKeyId, '--secret', KEYS.secretAccessKey],
    )
    serve('radosgw', '-n', 'client.rgw')
    const endpoint = `http://127.0.0.1:${port}`
    await untilAnswered(endpoint, COMMAND_MS)
    await createBucket(endpoint, bucket)
    return { settings: { endpoint, region: 'us-east-1', bucket, ...KEYS }, close }
  } catch (error) {
    await close()
    throw error
  }
}

// Loaded by name: the compiler also runs where this folder's packages are not installed.
async function createBucket(endpoint: string, bucket: string): Promise<void> {
  const sdk = await loadPackage(SDK, 'radosgw')
  const client = new (classOf<S3Client>(sdk, 'S3Client', SDK))({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: KEYS,
  })
  try {
    const command = new (classOf<object>(sdk, 'CreateBucketCommand', SDK))({ Bucket: bucket })
    await client.send(command, { abortSignal: AbortSignal.timeout(60_000) })
  } finally {
    client.destroy()
  }
}

function configText(parts: {
  readonly folder: string
  readonly fsid: string
  readonly monitorPort: number
  readonly port: number
  readonly libraries: string
}): string {
  const { folder, fsid, monitorPort, port, libraries } = parts
  return `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${monitorPort}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
keyring = /dev/null
ms bind msgr2 = false
mon allow pool size one = true
mon data avail crit = 1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
mon data = ${folder}/mon
osd data = ${folder}/osd
rgw data = ${folder}/rgw
run dir = ${folder}
admin socket = ${folder}/$name.asok
pid file = ${folder}/$name.pid
log file = ${folder}/$name.log
osd class dir = ${libraries}/rados-classes
erasure code dir = ${libraries}/ceph/erasure-code
plugin dir = ${libraries}/ceph
rgw frontends = beast endpoint=127.0.0.1:${port}
`
}

/** The libraries that belong to the programs, wherever these were put. */
function surroundings(): { readonly env: NodeJS.ProcessEnv; readonly libraries: string } {
  const root = dirname(dirname(dirname(realpathSync(pathOf('ceph-mon') ?? '/usr/bin/ceph-mon'))))
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const libraries = join(root, 'usr/lib', triplet)
  if (root === '/') return { env: process.env, libraries }
  const LD_LIBRARY_PATH = [libraries, join(root, 'lib', triplet), join(libraries, 'ceph')].join(delimiter)
  return {
    env: { ...process.env, LD_LIBRARY_PATH, PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') },
    libraries,
  }
}

function pathOf(program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Perhaps in the next one.
    }
  }
  return undefined
}
