import type { Exchange } from '../listen.ts'
import { microsOf, timeText } from './entries.ts'
import { FILTERS, filterOf } from './list.ts'
import { type Headers, refuse } from './reply.ts'
import type { World } from './world.ts'

const TYPES = ['s3', 'gcs', 'azure_blob']
/** Questions about its state until a job is done. */
const POLLS = 3
const ROWS_OF_FILE = 50_000

type Job = {
  readonly id: string
  readonly records: number
  readonly prefix: string
  readonly format: string
  readonly createdAt: string
  polls: number
}

export type Jobs = Map<string, Job>

/** POST /v1/audit/export. */
export function createExport(
  world: World,
  exchange: Exchange,
  headers: Headers,
  jobs: Jobs,
  identityId: string,
) {
  const bad = (field: string, message: string) =>
    refuse(exchange, headers, 422, 'validation_error', message, { fields: { [field]: message } })
  let body: Readonly<Record<string, unknown>>
  try {
    body = JSON.parse(exchange.body.toString('utf8')) as Readonly<Record<string, unknown>>
  } catch {
    return refuse(exchange, headers, 400, 'invalid_request', 'The body is not JSON.')
  }
  const { from, to, format, filters = {}, destination, ...others } = body
  for (const key of Object.keys(others)) world.violate('export-key-unknown', key)
  const [fromUs, toUs] = [microsOf(String(from)), microsOf(String(to))]
  if (fromUs === undefined || toUs === undefined) return bad('from', 'from and to must be ISO 8601 times')
  if (format !== 'jsonl' && format !== 'csv') return bad('format', 'must be jsonl or csv')
  const place = (destination ?? {}) as Readonly<Record<string, unknown>>
  if (!TYPES.includes(String(place['type']))) return bad('destination.type', 'must be s3, gcs or azure_blob')
  for (const key of ['bucket', 'credentials_path'])
    if (typeof place[key] !== 'string') return bad(`destination.${key}`, 'is required')
  for (const key of Object.keys(place))
    if (!['type', 'bucket', 'prefix', 'credentials_path'].includes(key))
      return bad(`destination.${key}`, 'inline keys are refused')
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(filters as object)) {
    if (!FILTERS.some((name) => name === key)) return bad(`filters.${key}`, 'is not a filter')
    query.set(key, String(value))
  }
  let records = 0
  for (const _ of world.store.all({ fromUs, toUs, matches: filterOf(query) })) records += 1
  const now = world.options.now()
  const createdAt = timeText(now * 1000)
  const id = `exp_${(jobs.size + 0x31f0).toString(16)}`
  jobs.set(id, { id, records, prefix: String(place['prefix'] ?? ''), format, createdAt, polls: 0 })
  world.store.add(
    JSON.stringify({
      id: `log_${id}`,
      timestamp: createdAt,
      action: 'export_created',
      identity_type: 'service_account',
      identity_id: identityId,
      secret_path: null,
      source_ip: '127.0.0.1',
      user_agent: exchange.headers['user-agent'] ?? '',
      success: true,
      duration_ms: 3,
      request_id: headers['x-request-id'],
      extra_data: { export_id: id },
    }),
  )
  exchange.reply(
    202,
    { export_id: id, status: 'pending', estimated_records: records, created_at: createdAt },
    headers,
  )
}

/** GET /v1/audit/exports and /v1/audit/exports/{id}. */
export function showExports(
  world: World,
  exchange: Exchange,
  headers: Headers,
  jobs: Jobs,
  id: string | undefined,
) {
  if (id === undefined) {
    const exports = [...jobs.values()].map((job) => stateOf(world, job))
    return exchange.reply(200, { exports }, headers)
  }
  const job = jobs.get(id)
  if (job === undefined)
    return refuse(exchange, headers, 404, 'export_not_found', `There is no export ${id}.`)
  job.polls += 1
  exchange.reply(200, stateOf(world, job), headers)
}

function stateOf(world: World, job: Job) {
  if (job.polls < POLLS)
    return {
      export_id: job.id,
      status: job.polls === 0 ? 'pending' : 'processing',
      created_at: job.createdAt,
    }
  if (world.mode('export-fails', '') !== undefined)
    return {
      export_id: job.id,
      status: 'failed',
      error: { code: 'destination_denied', message: 'The bucket refused the credentials.' },
    }
  const files = Array.from({ length: Math.ceil(job.records / ROWS_OF_FILE) }, (_, part) => {
    const records = Math.min(ROWS_OF_FILE, job.records - part * ROWS_OF_FILE)
    return {
      key: `${job.prefix}part-${String(part + 1).padStart(4, '0')}.${job.format}`,
      records,
      bytes: records * 365,
      sha256: 'ab'.repeat(32),
    }
  })
  return {
    export_id: job.id,
    status: 'completed',
    completed_at: timeText(world.options.now() * 1000),
    manifest: { files, total_records: job.records },
  }
}
