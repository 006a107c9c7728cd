import {
  ContractError,
  RateLimitError,
  type RemoteError,
  UnavailableError,
  UserError,
} from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { compileFilter } from '../../core/filter.ts'
import { type HttpReply, isFailure } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import type {
  EventShape,
  RemoteExport,
  RemoteExportRequest,
  RemoteExports,
  RemoteFile,
} from '../../core/source.ts'
import { HOUR_MS, isoRange, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import { refusal } from './pages.ts'
import { detailsOf, problemOf, SERVICE } from './problem.ts'
import { planFilters } from './pushdown.ts'
import { firstAt, textOf } from './read-record.ts'
import type { Session } from './session.ts'

const PROVIDERS = { s3: 's3', gcs: 'gcs', 'azure-blob': 'azure_blob' } as const
/** Jobs are allowed five a minute: a refusal proves that none was started. */
const MOST_REFUSALS = 3
const FIRST_POLL_MS = 2 * SECOND_MS
const LONGEST_POLL_MS = 30 * SECOND_MS

export type ExportParts = {
  readonly session: Session
  readonly clock: Clock
  readonly shape: EventShape
  /** Of the source, in messages. */
  readonly name: string
}

/** Jobs at the server that write the log to a bucket. */
export function remoteExports({ session, clock, shape, name }: ExportParts): RemoteExports {
  const get = async (path: string, operation: string, signal: AbortSignal): Promise<unknown> => {
    const reply = await session.send({ method: 'GET', path, operation, signal })
    if (reply.status === 200) return reply.json()
    const problem = problemOf(reply)
    if (reply.status === 404 && problem.code !== '') {
      throw new UserError(`${SERVICE} has no such export (${problem.code})`, {
        hint: 'auditctl remote-export list shows them all',
      })
    }
    throw refusal(reply, operation)
  }
  const jobs: RemoteExports = {
    async create(request, signal) {
      // Refuses what means nothing for this source: the files would hold it all.
      compileFilter(request.filter, shape.filters, name)
      const body = JSON.stringify(bodyOf(request))
      const operation = 'start an export'
      for (let refusals = 0; ; refusals += 1) {
        const answer = await session.sendOnce({
          method: 'POST',
          path: '/v1/audit/export',
          headers: { 'content-type': 'application/json' },
          body,
          operation,
          signal,
        })
        if (isFailure(answer)) {
          if (answer.nothingSent) throw answer.error
          throw new UnavailableError(`${answer.error.message}; whether the export was started is not known`, {
            cause: answer.error,
            service: SERVICE,
            operation,
            hint: 'look with auditctl remote-export list before starting it again',
          })
        }
        if (answer.status === 202 || answer.status === 200 || answer.status === 201)
          return exportOf(answer.json(), answer)
        if (answer.status !== 429)
          throw answer.status >= 500 ? unknown(answer, operation) : refusal(answer, operation)
        const waitMs = Math.max(1, Number(answer.headers['retry-after']) || 12) * SECOND_MS
        if (refusals >= MOST_REFUSALS || waitMs > 5 * MINUTE_MS) {
          const problem = problemOf(answer)
          throw new RateLimitError(`${SERVICE} allows no more exports for now (429)`, {
            ...detailsOf(answer, problem, operation),
            retryAfterMs: waitMs,
            hint: 'nothing was started; try again later',
          })
        }
        await clock.sleep(waitMs, signal)
      }
    },

    async status(id, signal) {
      const job = await get(`/v1/audit/exports/${encodeURIComponent(id)}`, 'look at the export', signal)
      return exportOf(job, undefined, id)
    },

    async list(signal) {
      const body = await get('/v1/audit/exports', 'list the exports', signal)
      const found = Array.isArray(body)
        ? body
        : firstAt(body, 'exports', 'items', 'data.exports', 'data.items', 'data')
      if (!Array.isArray(found)) {
        throw new ContractError('Could not list the exports: the reply holds no list of them', {
          service: SERVICE,
        })
      }
      return found.map((job: unknown) => exportOf(job))
    },

    async wait(id, { signal, timeoutMs = HOUR_MS, onStatus }) {
      const startedAt = clock.monotonic()
      for (let delayMs = FIRST_POLL_MS; ; delayMs = Math.min(LONGEST_POLL_MS, delayMs * 2)) {
        const job = await jobs.status(id, signal)
        onStatus?.(job)
        if (job.state !== 'running') return job
        const leftMs = startedAt + timeoutMs - clock.monotonic()
        if (leftMs <= 0) {
          throw new UnavailableError(
            `the export ${id} is still ${job.status} after ${Math.round(timeoutMs / MINUTE_MS)} minutes`,
            {
              service: SERVICE,
              hint: `it goes on by itself: look again with auditctl remote-export status ${id}`,
            },
          )
        }
        await clock.sleep(Math.min(delayMs, leftMs), signal)
      }
    },
  }
  return jobs
}

/** @throws UserError for a filter that the server does not apply: the files would hold more than was asked for */
function bodyOf({ window, filter, format, target, credentialsPath }: RemoteExportRequest): JsonObject {
  const { pushed, local } = planFilters(filter)
  if (local.length > 0) {
    throw new UserError(`the source cannot apply every filter by itself: ${local.join('; ')}`, {
      hint: 'leave it out, or use auditctl export, which filters here',
    })
  }
  const filters = Object.fromEntries(
    pushed.map(({ param, value }) => [param, param === 'success' ? value === 'true' : value]),
  )
  return {
    ...isoRange(window),
    format,
    filters,
    destination: {
      type: PROVIDERS[target.provider],
      bucket: target.bucket,
      prefix: target.prefix,
      credentials_path: credentialsPath,
    },
  }
}

function unknown(reply: HttpReply, operation: string): RemoteError {
  return new UnavailableError(
    `${SERVICE} failed (${reply.status}); whether the export was started is not known`,
    {
      ...detailsOf(reply, problemOf(reply), operation),
      hint: 'look with auditctl remote-export list before starting it again',
    },
  )
}

function exportOf(body: unknown, reply?: HttpReply, asked?: string): RemoteExport {
  const inner = firstAt(body, 'export', 'data')
  const record = (
    inner !== undefined && typeof inner === 'object' && !Array.isArray(inner) ? inner : body
  ) as JsonObject
  const id = textOf(record, 'export_id', 'id', 'job_id') ?? asked
  if (id === undefined) {
    throw new ContractError('Could not read the export: the reply has no export_id', {
      service: SERVICE,
      ...(reply === undefined ? {} : { status: reply.status, requestId: reply.requestId }),
      hint: 'look with auditctl remote-export list',
    })
  }
  const status = textOf(record, 'status', 'state') ?? 'unknown'
  return {
    id,
    state: stateOf(status),
    status,
    estimatedRecords: countOf(firstAt(record, 'estimated_records', 'estimated_count')),
    manifest: manifestOf(record),
    record,
  }
}

/** Only `completed` is documented; whatever is not known to be an end is taken for still running. */
function stateOf(status: string): RemoteExport['state'] {
  if (/^(?:complete[d]?|success|succeeded|done|finished)$/i.test(status)) return 'completed'
  return /^(?:fail(?:ed|ure)?|error(?:ed)?|cancell?ed|aborted|expired)$/i.test(status) ? 'failed' : 'running'
}

function manifestOf(record: JsonObject): RemoteExport['manifest'] {
  const files = firstAt(record, 'manifest.files', 'files', 'manifest')
  if (!Array.isArray(files)) return undefined
  return {
    files: files.map(fileOf),
    totalRecords: countOf(
      firstAt(record, 'manifest.total_records', 'total_records', 'manifest.records', 'record_count'),
    ),
  }
}

function fileOf(file: unknown): RemoteFile {
  const isText = typeof file === 'string'
  return {
    key: isText ? file : (textOf(file, 'key', 'path', 'name', 'url', 'uri') ?? ''),
    records: countOf(firstAt(file, 'records', 'count', 'record_count')),
    bytes: countOf(firstAt(file, 'bytes', 'size', 'size_bytes')),
    sha256: isText ? undefined : textOf(file, 'sha256', 'checksum_sha256'),
  }
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
