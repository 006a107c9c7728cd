import { randomFillSync } from 'node:crypto'
import { systemClock } from '../../../src/cli/runtime.ts'
import { Secret } from '../../../src/core/secret.ts'
import { classOf, type LoadedPackage, loadPackage } from '../../../src/storage/objects/load-package.ts'
import { mapParts } from '../../../src/storage/objects/map-parts.ts'
import { openStore } from '../../../src/storage/objects/open-store.ts'
import type { S3Client } from '../../../src/storage/objects/s3.ts'
import { type ObjectStore, PART_BYTES, PARTS_IN_FLIGHT } from '../../../src/storage/objects/store.ts'
import { newObject, writeOnce } from '../../../src/storage/objects/write-once.ts'

// `node --import …/resolve-sdks.ts object-work.ts '{…}'`: one way to put or get objects, timed in a process of its own.

export type WorkOrder = {
  /** `store`: ours, one call; `protocol`: ours, with the look at what was written; `sdk`, `sdk-head`: as one would with the SDK alone. */
  readonly way: 'store' | 'protocol' | 'sdk' | 'sdk-head'
  readonly task: 'put' | 'get'
  readonly bytes: number
  readonly count: number
  readonly inFlight: number
  /** Below which the objects lie. */
  readonly folder: string
  readonly settings: Readonly<Record<string, string>>
  /** Without an object that only warms up. */
  readonly isCold?: boolean
}

export type WorkDone = { readonly wallSeconds: number; readonly cpuSeconds: number; readonly peakMiB: number }

const PACKAGE = '@aws-sdk/client-s3'
const TYPE = 'application/octet-stream'
const signal = new AbortController().signal

if (import.meta.main) {
  const order = JSON.parse(process.argv[2] ?? '') as WorkOrder
  const work = await (order.way.startsWith('sdk') ? sdkWork(order) : storeWork(order))
  // Connected, credentials found, code warm: what is measured is the transfer.
  if (order.isCold !== true) await work(0)
  const [cpu, began] = [process.cpuUsage(), performance.now()]
  await mapParts(order.count, order.inFlight, (n) => work(n + 1))
  const { user, system } = process.cpuUsage(cpu)
  const done: WorkDone = {
    wallSeconds: (performance.now() - began) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  }
  process.stdout.write(`${JSON.stringify(done)}\n`)
  process.exit(0)
}

/** Other bytes in every object, at no cost worth speaking of. */
function contents({ bytes, inFlight }: WorkOrder): (n: number) => Uint8Array {
  const made = Array.from({ length: inFlight }, () => randomFillSync(Buffer.allocUnsafe(bytes)))
  return (n) => {
    const content = made[n % inFlight] ?? Buffer.alloc(0)
    content.writeUInt32LE(n, 0)
    return content
  }
}

async function storeWork(order: WorkOrder): Promise<(n: number) => Promise<void>> {
  const { accessKeyId = '', secretAccessKey = '', bucket = '', endpoint, region } = order.settings
  const secret = (text: string) => new Secret(text, (found) => found)
  const store: ObjectStore = await openStore(
    {
      kind: 's3',
      bucket,
      endpoint,
      region,
      accessKeyId: secret(accessKeyId),
      secretAccessKey: secret(secretAccessKey),
    },
    { clock: systemClock },
  )
  if (order.task === 'get') {
    return async (n) => {
      let bytes = 0
      for await (const block of store.read(`${order.folder}/${n}`, signal)) bytes += block.length
      if (bytes !== order.bytes) throw new Error(`${bytes} bytes came`)
    }
  }
  const contentOf = contents(order)
  return async (n) => {
    const object = newObject(`${order.folder}/${n}`, contentOf(n), TYPE)
    if (order.way === 'protocol') await writeOnce(store, object, signal)
    else await store.create(object, signal)
  }
}

async function sdkWork(order: WorkOrder): Promise<(n: number) => Promise<void>> {
  const { accessKeyId = '', secretAccessKey = '', bucket = '', endpoint, region } = order.settings
  const sdk = await loadPackage(PACKAGE, 'the bench')
  const client = new (classOf<S3Client>(sdk, 'S3Client', PACKAGE))({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  const send = (name: string, input: Readonly<Record<string, unknown>>) =>
    client.send(commandOf(sdk, name, { Bucket: bucket, ...input }), { abortSignal: signal })
  if (order.task === 'get') {
    return async (n) => {
      const { Body } = await send('GetObject', { Key: `${order.folder}/${n}` })
      let bytes = 0
      for await (const block of Body as AsyncIterable<Uint8Array>) bytes += block.length
      if (bytes !== order.bytes) throw new Error(`${bytes} bytes came`)
    }
  }
  const contentOf = contents(order)
  return async (n) => {
    const [Key, Body] = [`${order.folder}/${n}`, contentOf(n)]
    if (order.bytes <= 4 * PART_BYTES) await send('PutObject', { Key, Body, ContentType: TYPE })
    else await putParts(send, Key, Body)
    if (order.way === 'sdk-head') await send('HeadObject', { Key })
  }
}

/** As the SDK's own helper for large objects does it, parts of the same size and as many at once as ours. */
async function putParts(
  send: (
    name: string,
    input: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>,
  Key: string,
  content: Uint8Array,
): Promise<void> {
  const { UploadId } = await send('CreateMultipartUpload', { Key, ContentType: TYPE })
  const Parts = await mapParts(Math.ceil(content.length / PART_BYTES), PARTS_IN_FLIGHT, async (n) => {
    const Body = content.subarray(n * PART_BYTES, (n + 1) * PART_BYTES)
    const { ETag, ChecksumCRC32 } = await send('UploadPart', { Key, UploadId, PartNumber: n + 1, Body })
    return { ETag, PartNumber: n + 1, ChecksumCRC32 }
  })
  await send('CompleteMultipartUpload', { Key, UploadId, MultipartUpload: { Parts } })
}

function commandOf(sdk: LoadedPackage, name: string, input: Readonly<Record<string, unknown>>): object {
  return new (classOf<object>(sdk, `${name}Command`, PACKAGE))(input)
}
