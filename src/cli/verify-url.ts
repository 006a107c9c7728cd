import { createHash } from 'node:crypto'
import { type ExitCode, IncompleteError, UserError } from '../core/errors.ts'
import { MANIFEST_FILE } from '../core/manifest.ts'
import type { RemoteExport } from '../core/source.ts'
import { decompress } from '../storage/decompress.ts'
import { isObjectUrl, type ObjectLocation, objectLocation } from '../storage/objects/location.ts'
import { type OpenStore, openStore, settingsOf } from '../storage/objects/open-store.ts'
import type { ObjectEntry, ObjectStore } from '../storage/objects/store.ts'
import { openRecords } from '../storage/records/read-records.ts'
import { filesOfExport, filesOfManifest, type ListedFile, type ListedFiles } from './bucket-manifest.ts'
import { sayVerdict } from './commands/verify.ts'
import { type SettingsExtras, settingsFor } from './entry-actions.ts'
import { timeoutOf } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import { openSource } from './job.ts'
import type { Runtime } from './runtime.ts'

export type VerifyUrlExtras = SettingsExtras & { readonly openStore?: OpenStore }

/** As many files as are read for their digests at once. */
const READERS = 4

/**
 * `verify s3://…`: the objects below a prefix against the manifests that lie there, else against what the source says of an export of its
 * own. Exit 3 when one is missing, altered or foreign.
 */
export async function verifyUrl(
  target: string,
  invocation: Invocation,
  runtime: Runtime,
  extras: VerifyUrlExtras = {},
): Promise<ExitCode> {
  if (!isObjectUrl(target)) {
    throw new UserError(`${JSON.stringify(target)} is not the URL of a bucket`, {
      hint: 'write it like s3://bucket/prefix/, gcs://bucket/prefix/ or azblob://container/prefix/',
    })
  }
  const location = objectLocation(target)
  const { pattern } = location
  const named = pattern.endsWith('.json') ? pattern : undefined
  const prefix = named?.slice(0, named.lastIndexOf('/') + 1) ?? folderOf(pattern)
  const open = extras.openStore ?? openStore
  const parts = { clock: runtime.clock, env: runtime.io.env, timeoutMs: timeoutOf(invocation) }
  const store = await open(settingsOf(location), parts)
  try {
    const objects = await listed(store, prefix, runtime)
    const lists = await manifestsOf({ store, objects, location, prefix, named }, invocation, runtime, extras)
    const findings = lists.flatMap(({ name, reasons }) =>
      reasons.map((reason) => `${name} is not complete: ${reason}`),
    )
    const files = onceEach(lists, findings)
    const known = new Set(files.map(({ key }) => key))
    for (const key of objects.keys())
      if (!known.has(key) && !isManifest(key) && !isSignature(key) && key !== named)
        findings.push(`${key} is foreign: no manifest names it`)
    const seen = await checkFiles(files, objects, store, runtime)
    findings.push(...seen.findings, ...lists.flatMap(totalsOf))
    const count = `${files.length} ${files.length === 1 ? 'object' : 'objects'}`
    return await sayVerdict(
      findings,
      `${count}, ${seen.rows.toLocaleString('en-US')} events`,
      invocation,
      runtime,
    )
  } finally {
    await store.close()
  }
}

/** A run that was resumed lists again what it had listed; what two lists say of one object must agree. */
function onceEach(lists: readonly ListedFiles[], findings: string[]): readonly ListedFile[] {
  const files = new Map<string, ListedFile>()
  for (const { name, files: some } of lists) {
    for (const file of some) {
      const other = files.get(file.key)
      if (other !== undefined && other.sha256 !== file.sha256)
        findings.push(`${file.key} is listed again by ${name} with another SHA-256`)
      files.set(file.key, file)
    }
  }
  return [...files.values()]
}

async function listed(store: ObjectStore, prefix: string, runtime: Runtime) {
  const objects = new Map<string, ObjectEntry>()
  for await (const page of store.list(prefix, runtime.signal)) {
    // A folder's own marker holds nothing.
    for (const entry of page)
      if (!(entry.key.endsWith('/') && entry.bytes === 0)) objects.set(entry.key, entry)
  }
  return objects
}

type Place = {
  readonly store: ObjectStore
  readonly objects: ReadonlyMap<string, ObjectEntry>
  readonly location: ObjectLocation
  readonly prefix: string
  /** The manifest's key, when the URL names it. */
  readonly named: string | undefined
}

async function manifestsOf(
  { store, objects, location, prefix, named }: Place,
  invocation: Invocation,
  runtime: Runtime,
  extras: VerifyUrlExtras,
): Promise<readonly ListedFiles[]> {
  const keys = named === undefined ? [...objects.keys()].filter(isManifest) : [named]
  const lists: ListedFiles[] = []
  for (const key of keys) {
    const blocks: Uint8Array[] = []
    for await (const block of store.read(key, runtime.signal)) blocks.push(block)
    lists.push(filesOfManifest(Buffer.concat(blocks).toString('utf8'), key))
  }
  if (lists.length > 0) return lists
  const jobs = await exportsAt(location, prefix, invocation, runtime, extras)
  if (jobs.length > 0) return jobs.map(filesOfExport)
  throw new UserError(
    `no manifest lies below ${store.url}/${prefix}, and no source tells of an export to it`,
    {
      hint: 'name the manifest itself, or --source NAME of the source that wrote there',
    },
  )
}

/** Finished exports of the source that went to this bucket and prefix. */
async function exportsAt(
  location: ObjectLocation,
  prefix: string,
  invocation: Invocation,
  runtime: Runtime,
  extras: VerifyUrlExtras,
): Promise<readonly RemoteExport[]> {
  const settings = await settingsFor(invocation, runtime, extras)
  const named = textOption(invocation, 'source')
  const scaivault = settings.sourceNames.filter((name) => settings.sourceEntry(name).type === 'scaivault')
  const found: RemoteExport[] = []
  for (const name of named === undefined ? scaivault : [named]) {
    const { remoteExports } = await openSource(settings, invocation, runtime, name)
    if (remoteExports === undefined) continue
    for (const job of await remoteExports.list(runtime.signal)) {
      if (job.state !== 'completed') continue
      const whole = job.manifest === undefined ? await remoteExports.status(job.id, runtime.signal) : job
      if (isAt(whole, location.bucket, prefix)) found.push(whole)
    }
  }
  return found
}

/** A source need not say where a job wrote to; its files' keys do. */
function isAt(job: RemoteExport, bucket: string, prefix: string): boolean {
  const destination = job.record['destination']
  const told = destination !== null && typeof destination === 'object' ? destination : {}
  if ('bucket' in told && told.bucket !== bucket) return false
  const { files } = filesOfExport(job)
  return files.length > 0 && files.every(({ key }) => key.startsWith(prefix))
}

async function checkFiles(
  files: readonly ListedFile[],
  objects: ReadonlyMap<string, ObjectEntry>,
  store: ObjectStore,
  runtime: Runtime,
): Promise<{ readonly findings: readonly string[]; readonly rows: number }> {
  const findings: string[] = []
  let rows = 0
  const queue = files.values()
  const work = async (): Promise<void> => {
    for (const file of queue) {
      const entry = objects.get(file.key)
      if (entry === undefined) findings.push(`${file.key} is missing`)
      else if (file.bytes !== undefined && entry.bytes !== file.bytes)
        findings.push(`${file.key} is altered: ${entry.bytes} bytes, ${file.bytes} were written`)
      else {
        const seen = await checkContent(file, store, runtime.signal)
        rows += seen.rows
        findings.push(...seen.problems.map((problem) => `${file.key} ${problem}`))
      }
    }
  }
  await Promise.all(Array.from({ length: READERS }, work))
  return { findings: findings.toSorted(), rows }
}

async function checkContent(file: ListedFile, store: ObjectStore, signal: AbortSignal) {
  const hash = createHash('sha256')
  async function* hashed() {
    for await (const block of store.read(file.key, signal)) {
      hash.update(block)
      yield block
    }
  }
  let rows = 0
  try {
    rows = await countRows(hashed(), file.key)
  } catch (error) {
    if (!(error instanceof IncompleteError)) throw error
    return { rows, problems: [`cannot be read to its end: ${error.message}`] }
  }
  if (file.sha256 !== undefined && hash.digest('hex') !== file.sha256)
    return { rows: 0, problems: ['is altered: its SHA-256 is another'] }
  const isShort = file.rows !== undefined && rows !== file.rows
  return { rows, problems: isShort ? [`holds ${rows} rows, ${file.rows} were recorded`] : [] }
}

async function countRows(blocks: AsyncIterable<Uint8Array>, key: string): Promise<number> {
  const isTable = /\.csv(?:\.|$)/i.test(key)
  const opened = await openRecords(decompress(blocks, key), {
    name: key,
    textForm: () => (isTable ? 'rows' : 'lines'),
  })
  if (opened === undefined) return 0
  let rows = opened.form === 'rows' ? -1 : 0
  for await (const { spans } of opened.records) {
    for (let n = 0; n < spans.count; n += 1) if (spans.starts[n] !== spans.ends[n]) rows += 1
  }
  return Math.max(0, rows)
}

function totalsOf({ name, files, totalRows }: ListedFiles): string[] {
  if (totalRows === undefined || files.some(({ rows }) => rows === undefined)) return []
  const sum = files.reduce((total, { rows = 0 }) => total + rows, 0)
  return sum === totalRows ? [] : [`${name} records ${totalRows} events, its files add up to ${sum}`]
}

function folderOf(pattern: string): string {
  if (/[*?[{]/.test(pattern)) {
    throw new UserError('verify takes a prefix or a manifest, not a pattern', { hint: 's3://bucket/prefix/' })
  }
  return pattern === '' || pattern.endsWith('/') ? pattern : `${pattern}/`
}

/** Ours: `manifest.json` of an export, `_RUN.manifest.json` of an archive. */
function isManifest(key: string): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1)
  return name === MANIFEST_FILE || /^_.*\.manifest\.json$/.test(name)
}

/** A detached signature that somebody put beside a manifest. */
function isSignature(key: string): boolean {
  return key.endsWith('.sig') && isManifest(key.slice(0, -'.sig'.length))
}
