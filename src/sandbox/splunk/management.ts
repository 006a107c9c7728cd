import type { ServerResponse } from 'node:http'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Handler } from '../listen.ts'
import { replyPage } from './hec-replies.ts'
import type { SplunkProfile } from './profile.ts'
import { type Result, runSearch } from './run-search.ts'
import { type SearchFaults, searchFaults } from './search-faults.ts'
import { SplError } from './spl-lexer.ts'
import { parseSpl, type Search } from './spl-parse.ts'
import type { RowStore, StoredRow } from './store.ts'

export type ManagementParts = {
  readonly profile: SplunkProfile
  readonly tokens: readonly string[]
  readonly indexes: readonly string[]
  readonly faults: FaultPlan
  readonly store: RowStore
  readonly now: () => number
  violate(request: number, rule: string, detail: string): void
}

const EXPORT_V1 = '/services/search/jobs/export'
const EXPORT_V2 = '/services/search/v2/jobs/export'

/** The management port: exports of search results, and what an index is. Faults count searches. */
export function managementHandler(parts: ManagementParts): Handler {
  let searches = 0
  let running = 0
  return async (exchange) => {
    const [, scheme, token] = /^(\S+)\s+(.*)$/.exec(exchange.headers.authorization ?? '') ?? []
    if (!/^(?:bearer|splunk)$/i.test(scheme ?? '') || !parts.tokens.includes(token ?? '')) {
      return replyMessage(exchange, 401, 'WARN', 'call not properly authenticated')
    }
    const index = /^\/services\/data\/indexes\/([^/]+)$/.exec(exchange.path)?.[1]
    if (index !== undefined && exchange.method === 'GET')
      return replyIndex(exchange, decodeURIComponent(index), parts)
    const isExport =
      exchange.path === EXPORT_V1 || (exchange.path === EXPORT_V2 && parts.profile.kind !== 'legacy')
    if (!isExport || exchange.method !== 'POST') return replyMessage(exchange, 404, 'ERROR', 'Not Found')
    searches += 1
    const faults = searchFaults(parts.faults, searches)
    if (running >= parts.profile.searchQuota) {
      parts.violate(searches, 'search-quota', `${running + 1} searches at once`)
      return replyMessage(
        exchange,
        503,
        'FATAL',
        'The maximum number of concurrent historical searches was reached',
      )
    }
    running += 1
    try {
      await runExport(exchange, faults, parts)
    } finally {
      running -= 1
    }
  }
}

async function runExport(exchange: Exchange, faults: SearchFaults, parts: ManagementParts): Promise<void> {
  if (faults.status === 401) return replyMessage(exchange, 401, 'WARN', 'call not properly authenticated')
  if (faults.status === 503)
    return replyMessage(exchange, 503, 'FATAL', 'Search not executed: the quota is reached')
  if (faults.status !== undefined) return replyPage(exchange, faults.status)
  const form = new URLSearchParams(exchange.body.toString())
  const text = form.get('search')
  if (text === null) return replyMessage(exchange, 400, 'FATAL', "The required parameter 'search' is missing")
  if (form.get('output_mode') !== 'json') {
    return exchange.reply(200, '<?xml version="1.0"?><results preview="0"></results>', {
      'content-type': 'text/xml',
    })
  }
  let search: Search
  try {
    search = parseSpl(text)
  } catch (error) {
    if (error instanceof SplError) return replyMessage(exchange, 400, 'FATAL', error.message)
    throw error
  }
  const { response } = exchange
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
  if (faults.isEmpty) return void response.end()
  const lines = new LineWriter(response)
  const messages = (type: string, message: string) => lines.write({ messages: [{ type, text: message }] })
  if (search.terms['earliest'] !== undefined || search.terms['latest'] !== undefined) {
    await messages('INFO', 'Your timerange was substituted based on your search string')
  }
  if (faults.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.slowMs).unref())
  const rows = visible(search, form, faults, parts)
  try {
    const end = await writeResults(lines, runSearch(search, rows), faults, form.get('preview') !== 'false')
    if (end === 'reset') {
      await lines.flush()
      return void response.write('{"pre', () => exchange.reset())
    }
    if (end === 'fatal') await messages('FATAL', 'The search was terminated before it could finish')
    if (faults.isWarned) await messages('WARN', 'Search peer idx7 did not respond: results may be incomplete')
  } catch (error) {
    if (!(error instanceof SplError)) throw error
    await messages('FATAL', error.message)
  }
  await lines.end()
}

function* visible(
  search: Search,
  form: URLSearchParams,
  faults: SearchFaults,
  { store, now, profile }: ManagementParts,
): Generator<StoredRow> {
  // A range in the search string wins over the parameters.
  const from =
    secondsOf(search.terms['earliest']?.[0] ?? form.get('earliest_time')) ?? Number.NEGATIVE_INFINITY
  const to = secondsOf(search.terms['latest']?.[0] ?? form.get('latest_time')) ?? Number.POSITIVE_INFINITY
  const at = now()
  const frozenBefore = (at - profile.retentionMs) / 1000
  for (const row of store.between(from, to)) {
    if (row.visibleAt <= at && row.time >= frozenBefore && !faults.isHidden(row)) yield row
  }
}

function secondsOf(text: string | null): number | undefined {
  if (text === null || text === 'now') return undefined
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000
  return Number.isNaN(seconds) ? undefined : seconds
}

async function writeResults(
  lines: LineWriter,
  results: Iterable<Result>,
  faults: SearchFaults,
  wantsPreview: boolean,
): Promise<'done' | 'cut' | 'reset' | 'fatal'> {
  let held: Result | undefined
  let offset = 0
  for (const result of results) {
    if (offset === 0 && (faults.hasPreview || wantsPreview)) {
      await lines.write({ preview: true, offset: 0, result })
      await lines.write({ preview: true, offset: 1, lastrow: true, result })
    }
    if (held !== undefined) {
      if (offset >= faults.resetAfter) return 'reset'
      if (offset >= faults.fatalAfter) return 'fatal'
      if (offset >= faults.cutAfter) return 'cut'
      await lines.write({ preview: false, offset, result: held })
      offset += 1
    }
    held = result
  }
  if (Number.isFinite(faults.resetAfter)) return 'reset'
  if (Number.isFinite(faults.fatalAfter)) return 'fatal'
  if (Number.isFinite(faults.cutAfter)) return 'cut'
  await lines.write(
    held === undefined
      ? { preview: false, lastrow: true }
      : { preview: false, offset, lastrow: true, result: held },
  )
  return 'done'
}

class LineWriter {
  readonly #response: ServerResponse
  #text = ''
  constructor(response: ServerResponse) {
    this.#response = response
  }
  write(line: unknown): Promise<void> | undefined {
    this.#text += `${JSON.stringify(line)}\n`
    return this.#text.length < 65_536 ? undefined : this.flush()
  }
  async end(): Promise<void> {
    await this.flush()
    this.#response.end()
  }
  async flush(): Promise<void> {
    const text = this.#text
    this.#text = ''
    if (this.#response.destroyed || this.#response.write(text)) return
    await new Promise<void>((resolve) => {
      const goOn = () => {
        this.#response.off('drain', goOn).off('close', goOn)
        resolve()
      }
      this.#response.on('drain', goOn).on('close', goOn)
    })
  }
}

function replyMessage(exchange: Exchange, status: number, type: string, text: string): void {
  exchange.reply(status, { messages: [{ type, text }] })
}

function replyIndex(exchange: Exchange, name: string, { indexes, profile }: ManagementParts) {
  if (!indexes.includes(name)) {
    return replyMessage(exchange, 404, 'ERROR', `Could not find object id=${name}`)
  }
  const seconds = String(Math.floor(profile.retentionMs / 1000))
  exchange.reply(200, { entry: [{ name, content: { frozenTimePeriodInSecs: seconds } }] })
}
