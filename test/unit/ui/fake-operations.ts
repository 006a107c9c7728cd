import type { BrowserOperations, BrowserQuery, Coverage, PageRequest } from '../../../src/core/browser.ts'
import { type EventPage, type HeldEvent, pageOfHeld } from '../../../src/core/event-page.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { GapReport, RunReport } from '../../../src/core/report.ts'

export const START_MS = Date.parse('2026-11-20T10:00:00.000Z')
const utf8 = new TextEncoder()

const ACTIONS = [
  'get-secret',
  'create-secret',
  'update-folder',
  'delete-secret',
  'login-identity-universal-auth',
]
const ACTORS = ['ada@acme.example', 'ci-runner', 'grace.hopper@acme.example']

/** Event `n`, a second after the one before it. */
export function heldEvent(n: number, more: Readonly<Record<string, unknown>> = {}): HeldEvent {
  const ms = START_MS + n * 1000
  const id = `id-${String(n).padStart(8, '0')}`
  const record = {
    id,
    createdAt: new Date(ms).toISOString(),
    action: ACTIONS[n % ACTIONS.length],
    actor: ACTORS[n % ACTORS.length],
    target: `/payments/secret-${n}`,
    ...more,
  }
  return { id, ms, time: new Date(ms).toISOString(), bytes: utf8.encode(JSON.stringify(record)) }
}

/** Events `[from, to)`, newest first. */
export function heldPage(from: number, to: number): EventPage {
  return pageOfHeld(Array.from({ length: to - from }, (_, i) => heldEvent(to - 1 - i)))
}

export function queryOf(seconds: number): BrowserQuery {
  return { window: { from: START_MS, to: START_MS + seconds * 1000 }, filter: NO_FILTER }
}

/** The page that a source of `count` events, one a second, answers with. */
export function answerOf(request: PageRequest, count: number) {
  const { window, after, toward, limit } = request
  const first = Math.max(0, Math.ceil((window.from - START_MS) / 1000))
  const last = Math.min(count, Math.ceil((window.to - START_MS) / 1000))
  const at = after === undefined ? undefined : (after.ms - START_MS) / 1000
  const [from, to] = toward === 'older' ? [first, at ?? last] : [at === undefined ? first : at + 1, last]
  const [begin, end] =
    toward === 'older' ? [Math.max(from, to - limit), to] : [from, Math.min(to, from + limit)]
  return {
    page: heldPage(begin, Math.max(begin, end)),
    hasMore: toward === 'older' ? begin > from : end < to,
  }
}

export const GAP_REPORT: GapReport = {
  source: 'prod',
  stream: 'soc',
  window: { from: '2026-11-20T10:00:00.000Z', to: '2026-11-20T10:10:00.000Z' },
  judgedTo: '2026-11-20T10:10:00.000Z',
  method: 'ids',
  sourceEvents: 600,
  heldEvents: 540,
  missing: 60,
  tooYoung: 0,
  unexpected: 0,
  duplicates: 0,
  complete: false,
  gaps: [
    {
      from: '2026-11-20T10:02:00.000Z',
      to: '2026-11-20T10:02:40.000Z',
      missing: 40,
      firstId: 'a',
      lastId: 'b',
    },
    {
      from: '2026-11-20T10:05:00.000Z',
      to: '2026-11-20T10:05:20.000Z',
      missing: 20,
      firstId: 'c',
      lastId: 'd',
    },
  ],
  provenUntil: null,
  warnings: [],
}

export function coverageOf(query: BrowserQuery, report: GapReport = GAP_REPORT): Coverage {
  const recorded = new Float64Array(720).fill(1)
  const held = Float64Array.from(recorded, (_, i) => (i >= 144 && i < 192 && report.missing > 0 ? 0 : 1))
  return { stream: 'soc', query, recorded, held, report }
}

export const RUN_REPORT: RunReport = {
  run: '20261120T101500-4f1c',
  status: 'completed',
  source: 'prod',
  stream: 'soc',
  window: GAP_REPORT.window,
  mode: 'missing',
  scanned: 600,
  alreadyHeld: 540,
  selected: 60,
  delivered: 60,
  rejected: 0,
  late: 0,
  archived: 0,
  unresolved: 0,
  pending: 0,
  duplicatesPossible: 0,
  batches: 1,
  requests: 1,
  retries: 0,
  bytesSent: 30_000,
  verified: true,
  stillMissing: 0,
  deadLetter: null,
  durationMs: 900,
  problems: [],
  warnings: [],
}

export const PLAN = {
  events: 60,
  batches: 1,
  bytes: 30_000,
  rejected: 0,
  late: 0,
  oldest: '2026-11-20T10:02:00.000Z',
  newest: '2026-11-20T10:05:19.000Z',
  estimatedSeconds: 1,
  sourceRequests: 2,
  inventoryQueries: 1,
}

/** A source of `count` events, one a second, and a stream that lacks some of them until a backfill. */
export function fakeOperations(count: number, overrides: Partial<BrowserOperations> = {}): BrowserOperations {
  let isFilled = false
  const decoder = new TextDecoder()
  return {
    source: 'prod',
    streams: [{ name: 'soc', provider: 'splunk' }],
    filterNames: ['event', 'actor', 'path'],
    knownEventTypes: ACTIONS,
    zone: 'UTC',
    now: () => START_MS + count * 1000,
    row({ bytes }) {
      const record = JSON.parse(decoder.decode(bytes)) as Record<string, string>
      return { action: record['action'] ?? '', actor: record['actor'] ?? '', target: record['target'] ?? '' }
    },
    shaped: ({ bytes }) => ({ text: decoder.decode(bytes), notRebuilt: [] }),
    resolveFilter: (filter) => filter,
    page: (request) => Promise.resolve(answerOf(request, count)),
    async *count(query, cells) {
      const counts = new Float64Array(cells).fill(count / cells)
      yield { cells: counts, total: count, countedFrom: query.window.from, types: ACTIONS, actors: ACTORS }
    },
    async *follow() {},
    exportEvents: (_, path) => Promise.resolve(path),
    compare: (_, query) =>
      Promise.resolve(
        coverageOf(
          query,
          isFilled ? { ...GAP_REPORT, heldEvents: 600, missing: 0, gaps: [], complete: true } : GAP_REPORT,
        ),
      ),
    async backfill(_, { confirm }) {
      if (!(await confirm({ plan: PLAN, doubts: [] }))) throw new Error('not confirmed; nothing was sent')
      isFilled = true
      return { report: RUN_REPORT, exitCode: 0 }
    },
    commands: (run) => [`auditctl runs show ${run}`],
    ...overrides,
  }
}
