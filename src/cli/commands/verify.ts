import { existsSync, readFileSync, statSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import { MANIFEST_FILE, type Manifest } from '../../core/manifest.ts'
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
  const verdict = await verifyFolder(folderStore(folder, name, runtime), manifest)
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
    if (manifest.version !== 1 || !Array.isArray(manifest.files))
      throw new RangeError('it is no manifest of version 1')
    return manifest
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UserError(`${path} cannot be used: ${reason}`, {
      cause,
      hint: 'name the folder of an export, or its manifest.json',
    })
  }
}

function folderStore(folder: string, manifestName: string, runtime: Runtime): VerifyStore {
  return {
    async *list() {
      for await (const entry of glob('**/*', { cwd: folder })) {
        const path = entry.split(sep).join('/')
        if (path !== manifestName && statSync(join(folder, entry)).isFile()) yield path
      }
    },
    read: (path) =>
      existsSync(join(folder, path)) ? readFileBlocks(join(folder, path), runtime.signal) : undefined,
    ids: (path) => idsOf(join(folder, path), folder, runtime),
  }
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
  return sayVerdict(verifyReport(report), `run ${run.id}, ${report.scanned} events`, invocation, runtime)
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
  runtime.io.stderr.write(
    `auditctl: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} in ${escapeText(what)}\n`,
  )
  return EXIT.answerIsNo
}
