import { createHash } from 'node:crypto'
import { IdDigest } from '../../core/id-digest.ts'
import { MANIFEST_FILE, type Manifest, type ManifestFile } from '../../core/manifest.ts'

/** A detached signature that somebody put beside the manifest. */
const SIGNATURE_FILE = `${MANIFEST_FILE}.sig`

/** What is wrong with an exported folder, a line each, naming the file. */
export type Finding = { readonly path: string; readonly problem: string }

/** What verifying needs of the place where the files lie: a folder, or a bucket. */
export type VerifyStore = {
  /** Every path below the root, `/` between its parts. */
  list(): AsyncIterable<string>
  /** The stored bytes; undefined when there is no such file. */
  read(path: string): AsyncIterable<Uint8Array> | undefined
  /** The ids in the file, in their order; `undefined` where its rows tell none. */
  ids(path: string): AsyncIterable<readonly string[]> | undefined
}

export type Verdict = {
  readonly manifest: Manifest
  readonly findings: readonly Finding[]
  readonly files: number
  readonly rows: number
}

/**
 * Checks every file against the manifest: there, as long as recorded, untouched (SHA-256), with as many rows; names foreign files; adds the
 * totals and the id digest up again. Needs no network and no server.
 */
export async function verifyFolder(store: VerifyStore, manifest: Manifest): Promise<Verdict> {
  const findings: Finding[] = []
  const named = new Set(manifest.files.map(({ path }) => path))
  if (named.size < manifest.files.length)
    findings.push({ path: MANIFEST_FILE, problem: 'names a file twice' })
  for await (const path of store.list()) {
    if (path !== MANIFEST_FILE && path !== SIGNATURE_FILE && !named.has(path))
      findings.push({ path, problem: 'is foreign: the manifest does not name it' })
  }
  const digest = new IdDigest()
  let rows = 0
  let allIds = true
  for (const file of manifest.files) {
    const seen = await verifyFile(store, file, digest)
    findings.push(...seen.problems.map((problem) => ({ path: file.path, problem })))
    rows += seen.rows
    allIds &&= seen.hasIds
  }
  const sum = (of: (file: ManifestFile) => number): number =>
    manifest.files.reduce((total, file) => total + of(file), 0)
  const totals = {
    files: manifest.files.length,
    rows: sum((file) => file.rows),
    bytes: sum((file) => file.bytes),
    rawBytes: sum((file) => file.rawBytes),
  }
  for (const key of ['files', 'rows', 'bytes', 'rawBytes'] as const) {
    if (manifest.totals[key] !== totals[key]) {
      findings.push({
        path: MANIFEST_FILE,
        problem: `totals.${key} is ${manifest.totals[key]}, its files add up to ${totals[key]}`,
      })
    }
  }
  if (allIds && digest.hex() !== manifest.idDigest)
    findings.push({ path: MANIFEST_FILE, problem: 'the id digest does not match the ids in the files' })
  return { manifest, findings, files: manifest.files.length, rows }
}

async function verifyFile(
  store: VerifyStore,
  file: ManifestFile,
  digest: IdDigest,
): Promise<{ readonly problems: readonly string[]; readonly rows: number; readonly hasIds: boolean }> {
  const blocks = store.read(file.path)
  if (blocks === undefined) return { problems: ['is missing'], rows: 0, hasIds: false }
  const hash = createHash('sha256')
  let bytes = 0
  for await (const block of blocks) {
    hash.update(block)
    bytes += block.length
  }
  if (bytes !== file.bytes)
    return { problems: [`is altered: ${bytes} bytes, ${file.bytes} were written`], rows: 0, hasIds: false }
  if (hash.digest('hex') !== file.sha256)
    return { problems: ['is altered: its SHA-256 is another'], rows: 0, hasIds: false }
  const seen = await readRows(store, file, digest)
  const problems: string[] = []
  if (seen.rows !== file.rows) problems.push(`holds ${seen.rows} rows, ${file.rows} were recorded`)
  if (seen.first !== undefined && file.firstId !== null && seen.first !== file.firstId)
    problems.push('its first id is another')
  if (seen.last !== undefined && file.lastId !== null && seen.last !== file.lastId)
    problems.push('its last id is another')
  return { problems, rows: seen.rows, hasIds: seen.hasIds }
}

async function readRows(store: VerifyStore, file: ManifestFile, digest: IdDigest) {
  const ids = store.ids(file.path)
  if (ids === undefined) return { rows: file.rows, first: undefined, last: undefined, hasIds: false }
  let rows = 0
  let first: string | undefined
  let last: string | undefined
  for await (const some of ids) {
    for (const id of some) digest.add(id)
    first ??= some[0]
    last = some.at(-1) ?? last
    rows += some.length
  }
  return { rows, first, last, hasIds: true }
}
