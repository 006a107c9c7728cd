import { existsSync, readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import { MANIFEST_FILE, type Manifest } from '../../core/manifest.ts'
import type { RunReport } from '../../core/report.ts'
import { openFileInventory } from '../../inventories/file.ts'
import { type VerifyStore, verifyFolder } from '../../operations/verify/folder.ts'
import { verifyReport } from '../../operations/verify/run.ts'
import { readFileBlocks } from '../../storage/files.ts'
import { isInside } from '../export-disk.ts'
import { outputFlag } from '../flags.ts'
import type { Invocation } from '../invocation.ts'
import { openLedger } from '../job.ts'
import type { Runtime } from '../runtime.ts'
import { currentReport } from './runs.ts'

/** `auditctl verify`: offline; exit 3 when something is missing, altered, foreign, or does not add up. */
export async function verifyCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const [target = ''] = invocation.args
  if (/^[a-z0-9]+:\/\//i.test(target)) {
    const { verifyUrl } = await import('../verify-url.ts')
    return verifyUrl(target, invocation, runtime)
  }
  const path = resolve(target)
  if (existsSync(path)) {
    const folder = statSync(path).isDirectory() ? path : dirname(path)
    const name = statSync(path).isDirectory() ? MANIFEST_FILE : basename(path)
    return verifyFiles(folder, name, invocation, runtime)
  }
  return verifyRun(target, invocation, runtime)
}

async function verifyFiles(
  folder: string,
  name: string,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const manifest = readManifest(join(folder, name))
  const outside = manifest.files.find(({ path }) => !isInside(path))
  if (outside !== undefined)
    throw new UserError(`${name} names a path outside its folder: ${outside.path}`, {
      hint: 'it was not written by auditctl',
    })
  const verdict = await verifyFolder(folderStore(folder, name, manifest, runtime), manifest)
  if (!manifest.complete)
    runtime.log.warn(`by its own word the export is not complete: ${manifest.reasons.join('; ')}`)
  return sayVerdict(
    verdict.findings.map(({ path, problem }) => `${path} ${problem}`),
    `${verdict.files} ${verdict.files === 1 ? 'file' : 'files'}, ${verdict.rows.toLocaleString('en-US')} events`,
    invocation,
    runtime,
  )
}

function readManifest(path: string): Manifest {
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
    if (!isManifest(manifest)) throw new RangeError('it is no manifest of version 1')
    return manifest
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UserError(`${path} cannot be used: ${reason}`, {
      cause,
      hint: 'name the folder of an export, or its manifest.json',
    })
  }
}

function isManifest(manifest: Partial<Manifest> | null): boolean {
  return (
    manifest?.version === 1 &&
    typeof manifest.idDigest === 'string' &&
    typeof manifest.totals === 'object' &&
    Array.isArray(manifest.reasons) &&
    Array.isArray(manifest.files) &&
    manifest.files.every(
      (file) => typeof file.path === 'string' && typeof file.sha256 === 'string' && file.bytes >= 0,
    )
  )
}

function folderStore(
  folder: string,
  manifestName: string,
  manifest: Manifest,
  runtime: Runtime,
): VerifyStore {
  const hasIds = tellsIds(manifest)
  return {
    async *list() {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')
        if (path !== manifestName && !entry.isDirectory()) yield path
      }
    },
    read: (path) =>
      existsSync(join(folder, path)) ? readFileBlocks(join(folder, path), runtime.signal) : undefined,
    ids: (path) => (hasIds ? idsOf(join(folder, path), folder, runtime) : undefined),
  }
}

/** Exports of chosen columns may have left the id out. */
function tellsIds({ query }: Manifest): boolean {
  const fields = query !== null && typeof query === 'object' && 'fields' in query ? query.fields : undefined
  return !Array.isArray(fields) || fields.includes('id')
}

/** The ids of one file, through the reader of id files: it knows the formats and packings. */
async function* idsOf(path: string, folder: string, runtime: Runtime): AsyncGenerator<readonly string[]> {
  const { signal, io } = runtime
  const file = await openFileInventory({ path, stdin: io.stdin, baseDir: folder, signal })
  const rows = file.ids({ from: 0, to: Number.MAX_SAFE_INTEGER }, { signal })
  for (let step = await rows.next(); ; step = await rows.next()) {
    if (!step.done) {
      yield step.value.ids
      continue
    }
    if (step.value.exhausted) return
    throw new UserError(`${path} cannot be read to its end: ${step.value.reason ?? 'it ends early'}`)
  }
}

async function verifyRun(id: string, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const ledger = await openLedger(runtime)
  const run = ledger.readRun(id)
  if (run === undefined)
    throw new UserError(`${id} is neither a folder, a manifest nor a run`, {
      hint: 'auditctl runs list names the runs',
    })
  const report = currentReport(ledger, run)
  const findings = [...verifyReport(report), ...(await filesOfRun(report, runtime))]
  return sayVerdict(findings, `run ${run.id}, ${report.scanned} events`, invocation, runtime)
}

/** What an export's run wrote, as far as it is known: a folder by its manifest, a file by its rows. */
async function filesOfRun(report: RunReport, runtime: Runtime): Promise<readonly string[]> {
  const { out, written } = report
  if (report.mode !== 'export' || report.status !== 'completed' || out === undefined) return []
  if (!existsSync(out)) return [`${out} is missing`]
  if (statSync(out).isDirectory()) {
    if (!existsSync(join(out, MANIFEST_FILE))) return [`${join(out, MANIFEST_FILE)} is missing`]
    const manifest = readManifest(join(out, MANIFEST_FILE))
    // A later export of the same name has added to it: that one answers for it now.
    if (manifest.runId !== report.run) return []
    const verdict = await verifyFolder(folderStore(out, MANIFEST_FILE, manifest, runtime), manifest)
    return verdict.findings.map(({ path, problem }) => `${path} ${problem}`)
  }
  let rows = 0
  try {
    for await (const ids of idsOf(out, dirname(out), runtime)) rows += ids.length
  } catch (error) {
    // Chosen columns without the id: there is nothing to count by.
    if (error instanceof UserError && error.code === 'inventory-field') return []
    throw error
  }
  return rows === written ? [] : [`${out} holds ${rows} rows, ${written} were written`]
}

/** One line a finding on stdout, or the JSON of the verdict; 3 when there is any. */
export async function sayVerdict(
  findings: readonly string[],
  what: string,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const ok = findings.length === 0
  const format = outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
  if (format !== 'table') await runtime.output.write(`${JSON.stringify({ ok, checked: what, findings })}\n`)
  else {
    for (const finding of findings) await runtime.output.write(`${escapeText(finding)}\n`)
    if (ok) await runtime.output.write(`ok: ${what}\n`)
  }
  if (ok) return EXIT.done
  const { problemsText } = await import('../report-error.ts')
  const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} in ${what}`
  runtime.io.stderr.write(problemsText([count], EXIT.answerIsNo, invocation, undefined, 'not-verified'))
  return EXIT.answerIsNo
}
