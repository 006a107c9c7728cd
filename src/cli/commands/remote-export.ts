import { EXIT, type ExitCode, UnavailableError, UserError } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import type { AuditSource, RemoteExport, RemoteExports, RemoteTarget } from '../../core/source.ts'
import { objectLocation } from '../../storage/objects/location.ts'
import { type SettingsExtras, settingsFor } from '../entry-actions.ts'
import { announceWindow, filterFlags, settleOf, windowFlags } from '../flags.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { openSource } from '../job.ts'
import { printRows, rowFormat } from '../print-rows.ts'
import type { Runtime } from '../runtime.ts'

/** `remote-export create|status|list`: jobs that the source itself runs, from its log into a bucket. */
export async function remoteExportCommand(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras = {},
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, extras)
  const source = await openSource(settings, invocation, runtime)
  const jobs = source.remoteExports
  if (jobs === undefined) {
    throw new UserError(
      `${source.name} is a source of the type ${source.shape.type}, which runs no exports of its own`,
      {
        hint: 'auditctl export reads the events and writes them here',
      },
    )
  }
  switch (invocation.path[1]) {
    case 'create':
      return createJob(source, jobs, invocation, runtime)
    case 'status':
      return printJob(await jobs.status(invocation.args[0] ?? '', runtime.signal), invocation, runtime)
    case 'list':
      return listJobs(await jobs.list(runtime.signal), invocation, runtime)
    default:
      throw new UserError('remote-export has create, status and list')
  }
}

async function createJob(
  source: AuditSource,
  jobs: RemoteExports,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const target = targetOf(required(invocation, 'out', '--out', 's3://bucket/prefix/'))
  const credentialsPath = required(
    invocation,
    'credentialsPath',
    '--credentials-path',
    'integrations/aws/audit-export',
  )
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: undefined,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
  })
  const filter = filterFlags(invocation, source.shape, runtime)
  announceWindow(runtime, window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, { window, filter, order: 'asc' }, invocation)
  }
  const format = textOption(invocation, 'format') === 'csv' ? 'csv' : 'jsonl'
  const started = await jobs.create({ window, filter, format, target, credentialsPath }, runtime.signal)
  const about =
    started.estimatedRecords === undefined
      ? ''
      : `, about ${started.estimatedRecords.toLocaleString('en-US')} events`
  runtime.log.info(`started the export ${started.id} at ${source.name}${about}`, { id: started.id })
  let last = ''
  const onStatus = ({ status }: RemoteExport): void => {
    if (status !== last) runtime.log.info(`${started.id}: ${escapeText(status)}`)
    last = status
  }
  try {
    const job = started.state === 'running' ? await finished(jobs, started.id, onStatus, runtime) : started
    return await printJob(job, invocation, runtime)
  } catch (error) {
    if (runtime.signal.aborted)
      runtime.log.warn(`the export goes on at the source: auditctl remote-export status ${started.id}`)
    throw error
  }
}

function finished(
  jobs: RemoteExports,
  id: string,
  onStatus: (job: RemoteExport) => void,
  { signal }: Runtime,
): Promise<RemoteExport> {
  return jobs.wait(id, { signal, onStatus })
}

/** The job and its files; a job that failed is an error once it has been shown. */
async function printJob(job: RemoteExport, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const format = rowFormat(invocation, runtime)
  if (format === 'json' || format === 'jsonl') {
    await runtime.output.write(`${JSON.stringify(plainJob(job))}\n`)
  } else {
    if (format === 'table') await runtime.output.write(`${headline(job)}\n`)
    const files = job.manifest?.files ?? []
    if (files.length > 0 || format === 'csv')
      await printRows(files, ['key', 'records', 'bytes', 'sha256'], format, runtime)
  }
  if (job.state !== 'failed') return EXIT.done
  throw new UnavailableError(`the export ${job.id} ended as ${job.status}${whyOf(job)}`, {
    hint: 'look at the bucket, its name and the credentials behind --credentials-path; then start it again',
  })
}

async function listJobs(
  jobs: readonly RemoteExport[],
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const format = rowFormat(invocation, runtime)
  const rows = jobs.map((job) =>
    format === 'json' || format === 'jsonl'
      ? plainJob(job)
      : {
          id: job.id,
          status: job.status,
          files: job.manifest?.files.length,
          events: job.manifest?.totalRecords ?? job.estimatedRecords,
        },
  )
  await printRows(rows, ['id', 'status', 'files', 'events'], format, runtime)
  return EXIT.done
}

function plainJob({ id, state, status, estimatedRecords, manifest }: RemoteExport) {
  return {
    id,
    state,
    status,
    estimatedRecords: estimatedRecords ?? null,
    manifest:
      manifest === undefined
        ? null
        : {
            files: manifest.files.map(({ key, records, bytes, sha256 }) => ({
              key,
              records: records ?? null,
              bytes: bytes ?? null,
              sha256: sha256 ?? null,
            })),
            totalRecords: manifest.totalRecords ?? null,
          },
  }
}

function headline({ id, status, manifest, estimatedRecords }: RemoteExport): string {
  const number = (value: number) => value.toLocaleString('en-US')
  if (manifest === undefined) {
    const about = estimatedRecords === undefined ? '' : `, about ${number(estimatedRecords)} events`
    return `${escapeText(id)}: ${escapeText(status)}${about}`
  }
  const files = `${manifest.files.length} ${manifest.files.length === 1 ? 'file' : 'files'}`
  const events = manifest.totalRecords === undefined ? '' : `, ${number(manifest.totalRecords)} events`
  return `${escapeText(id)}: ${escapeText(status)}, ${files}${events}`
}

function whyOf({ record }: RemoteExport): string {
  const { error } = record
  const said = error !== null && typeof error === 'object' && 'message' in error ? error.message : error
  return typeof said === 'string' && said !== '' ? `: ${said}` : ''
}

function targetOf(url: string): RemoteTarget {
  const { kind, bucket, pattern, account } = objectLocation(url)
  if (account !== undefined || /[*?[{]/.test(pattern)) {
    throw new UserError(`--out ${JSON.stringify(url)} is not a bucket and a prefix`, {
      hint: 'write it like s3://bucket/prefix/, gcs://bucket/prefix/ or azblob://container/prefix/',
    })
  }
  const prefix = pattern === '' || pattern.endsWith('/') ? pattern : `${pattern}/`
  return { provider: kind, bucket, prefix }
}

function required(invocation: Invocation, name: string, flag: string, example: string): string {
  const text = textOption(invocation, name)
  if (text !== undefined && text !== '') return text
  throw new UserError(`remote-export create needs ${flag}`, { hint: `${flag} ${example}` })
}
