import type { JsonObject } from '../../core/event.ts'
import { isInside } from '../../core/time-range.ts'
import { checkKinds } from '../faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { type IngestionSettings, idOf, ingestion } from './ingestion.ts'
import { type QuerySettings, queryApi } from './query-api.ts'
import { type AzureRow, cellOf, EXTENDED_COLUMNS, GUIDE_COLUMNS, type Losses, shownTime } from './table.ts'
import { createTokens, type TokenSettings } from './tokens.ts'
import { azureTrials } from './trials.ts'

export type AzureSettings = IngestionSettings & QuerySettings & TokenSettings

export type AzureSandbox = SandboxService & {
  /** May be turned while it runs; columns are those of the rule and of the table at once. */
  readonly settings: AzureSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
  losses(): Losses
  tokensIssued(): number
}

const FAULT_KINDS = [
  'token-reset',
  'token-unavailable',
  'token-busy',
  'token-refused',
  'hang',
  'reset-before',
  'token-expires',
  'forbidden',
  'throttle',
  'unavailable',
  'html-200',
  'status',
  'poison',
  'drop',
  'slow',
  'error-after',
  'reset-after',
  'query-slow',
  'query-reset',
  'query-token-expires',
  'query-forbidden',
  'query-busy',
  'query-empty',
  'query-204',
  'query-timeout',
  'query-unavailable',
  'query-partial',
  'index-delay',
  'extended',
  'id-dropped',
]
const CLIENT_SECRET = 'sandbox~client~secret~0123456789abcdefgh'

/**
 * A strict Azure Monitor: token endpoint, Logs Ingestion, Log Analytics query, one port each.
 * Faults, service `azure`. Token: `token-reset`, `token-unavailable`, `token-busy`, `token-refused`. Ingestion, nothing stored: `hang`, `reset-before`,
 * `token-expires`, `forbidden`, `throttle=SECONDS`, `unavailable`, `html-200`, `status=CODE`, `poison=TEXT`, `drop` (204 all the same). Stored: `slow=MS`,
 * `error-after`, `reset-after`. Query: `query-slow=MS`, `query-reset`, `query-token-expires`, `query-forbidden`, `query-busy=SECONDS`, `query-empty`,
 * `query-204`, `query-timeout`, `query-unavailable`, `query-partial[=ROWS]`. Standing: `poison`, `index-delay=MS`, and from the start on `extended`
 * (the table has createdAt, EventTime and EventId) and `id-dropped`.
 */
export async function startAzure(options: SandboxOptions): Promise<AzureSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'azure', FAULT_KINDS)
  const mode = (kind: string) => faults.standing('azure', kind, 1)
  const settings: AzureSettings = {
    tenantId: '11111111-2222-4333-8444-555555555555',
    clientId: '66666666-7777-4888-9999-aaaaaaaaaaaa',
    clientSecret: CLIENT_SECRET,
    tokenSeconds: 3_599,
    ruleId: 'dcr-0123456789abcdef0123456789abcdef',
    stream: 'Custom-InfisicalLogs_CL',
    tableName: 'InfisicalLogs_CL',
    workspaceId: 'bbbbbbbb-cccc-4ddd-8eee-ffffffffffff',
    columns: mode('extended') === undefined ? GUIDE_COLUMNS : EXTENDED_COLUMNS,
    reservedNames: mode('id-dropped') === undefined ? 'kept' : 'dropped',
    outOfRange: 'overwrite',
    visibleAfterMs: 0,
    firstVisibleAfterMs: 0,
    strictSize: true,
    beyondInflated: '413',
    auxiliary: false,
    requestsPerMinute: 12_000,
    bytesPerMinute: 2_000_000_000,
    maxRows: 500_000,
    maxBytes: 104_857_600,
    requestsPer30s: 200,
  }
  const violations: Violation[] = []
  const rows: AzureRow[] = []
  const arrivals: string[] = []
  const losses: Losses = { droppedRows: [], droppedColumns: new Map(), truncated: 0, overwritten: 0 }
  const tokens = createTokens(settings, faults, now)
  const admin = receiverAdmin({
    service: 'azure',
    faults,
    kinds: FAULT_KINDS,
    violations,
    settings,
    state: () => ({
      rows: rows.length,
      received: arrivals.length,
      ...losses,
      droppedColumns: Object.fromEntries(losses.droppedColumns),
    }),
    reset: () => {
      for (const list of [rows, arrivals, losses.droppedRows]) list.length = 0
      losses.droppedColumns.clear()
      Object.assign(losses, { truncated: 0, overwritten: 0 })
    },
  })
  const portOf = (offset: number) => (options.port ? { port: options.port + offset } : {})
  const login = await listen({ ...portOf(0), admin, handle: (exchange) => tokens.answer(exchange) })
  const ingest = await listen({
    ...portOf(1),
    admin,
    handle: ingestion({ settings, tokens, faults, violations, now, rows, arrivals, losses }),
  })
  const query = await listen({
    ...portOf(2),
    admin,
    handle: queryApi({ settings, tokens, faults, now, rows }),
  })

  const stream = {
    provider: 'azure',
    tenantId: settings.tenantId,
    clientId: settings.clientId,
    clientSecret: CLIENT_SECRET,
    endpoint: ingest.url,
    ruleId: settings.ruleId,
    table: 'InfisicalLogs',
    workspaceId: settings.workspaceId,
    authorityUrl: login.url,
    queryUrl: query.url,
    ...(settings.columns['createdAt'] === undefined ? {} : { timeColumn: 'createdAt' }),
  }
  return {
    name: 'azure',
    urls: { azure: ingest.url, azureLogin: login.url, azureSearch: query.url },
    config: { streams: { sentinel: stream } },
    violations,
    trials: azureTrials(stream),
    settings,
    receivedIds: () => arrivals,
    rows: () => rows.map(shown),
    preload(streamed) {
      for (const event of streamed) {
        const time = timeOf(event, now())
        if (options.drop !== undefined && isInside(Date.parse(time), options.drop)) continue
        rows.push(liveRow(event, settings, time))
        const id = idOf(event)
        if (id !== undefined) arrivals.push(id)
      }
    },
    losses: () => losses,
    tokensIssued: () => tokens.issued(),
    async close() {
      await Promise.all([login.close(), ingest.close(), query.close()])
    },
  }
}

/** As the live stream's event was stored when it was fresh: its own time was still in range. */
function liveRow(event: JsonObject, settings: AzureSettings, time: string): AzureRow {
  const cells: Record<string, string | number | boolean | null> = {}
  const record: JsonObject = { ...event, TimeGenerated: time }
  for (const name of Object.keys(record)) {
    const type = settings.columns[name]
    const cell = type === undefined ? undefined : cellOf(record[name], type)
    if (cell !== undefined && !(name === 'id' && settings.reservedNames === 'dropped')) cells[name] = cell
  }
  // A rule of a table with these columns fills them in its transformation.
  const id = idOf(event)
  if (settings.columns['EventId'] !== undefined && id !== undefined) cells['EventId'] ??= id
  if (settings.columns['EventTime'] !== undefined) cells['EventTime'] ??= cellOf(time, 'datetime') ?? null
  const ingestedAt = Date.parse(time) + 10_000
  return { cells, ingestedAt, visibleAt: ingestedAt }
}

function timeOf(event: JsonObject, now: number): string {
  const time = event['createdAt'] ?? event['timestamp'] ?? event['occurred_at'] ?? event['created_at']
  return typeof time === 'string' ? time : new Date(now).toISOString()
}

function shown(row: AzureRow): JsonObject {
  const cells: Record<string, unknown> = { ...row.cells }
  for (const [name, cell] of Object.entries(cells)) {
    if (typeof cell === 'string' && /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{7}Z$/.test(cell))
      cells[name] = shownTime(cell)
  }
  return cells
}
