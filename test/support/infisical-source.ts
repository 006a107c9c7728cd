import type { AuditEvent } from '../../src/core/event.ts'
import { compareEvents } from '../../src/core/event.ts'
import { type EventFilter, NO_FILTER } from '../../src/core/filter.ts'
import type { HttpClient } from '../../src/core/http.ts'
import { type Clock, SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import type { AuditSource, OpenOptions } from '../../src/core/source.ts'
import type { TimeRange } from '../../src/core/time-range.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { startInfisical } from '../../src/sandbox/infisical/index.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { infisical } from '../../src/sources/infisical/index.ts'
import { fakeClock } from './fake-clock.ts'

/** The sandbox's generated events begin here and are ten a second; its recordings lie before NOW as well. */
export const GENERATED_FROM = Date.UTC(2026, 10, 1)
export const RECORDED: TimeRange = {
  from: Date.UTC(2026, 10, 20, 12, 30),
  to: Date.UTC(2026, 10, 20, 12, 50),
}
export const NOW = Date.UTC(2026, 10, 21)

export function generatedWindow(events: number): TimeRange {
  return { from: GENERATED_FROM, to: GENERATED_FROM + Math.max(1000, events * 100) }
}

export type Bench = {
  readonly server: SandboxService
  readonly source: AuditSource
  readonly clock: Clock
  state(): Promise<{ readonly requests: number; readonly logins: number; readonly ownEvents: number }>
  append(lines: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** A strict server and a source that reads it through the real client, on a clock whose sleeps end at once. */
export async function startBench(options: {
  readonly events?: number
  readonly generation?: '2025' | '2026'
  readonly faults?: readonly string[]
  readonly settings?: Readonly<Record<string, unknown>>
}): Promise<Bench> {
  const clock = fakeClock(NOW)
  const server = await startInfisical({
    events: options.events,
    seed: 7,
    generation: options.generation ?? '2026',
    recent: false,
    faults: faultPlan((options.faults ?? []).map((fault) => `infisical:${fault}`)),
    now: clock.now,
  })
  const url = server.urls['infisical'] ?? ''
  const http = createHttpClient({ clock, log: SILENT, env: {}, version: '0.0.0-test' })
  const source = sourceOf(http, clock, { ...server.config.sources?.['infisical'], ...options.settings })
  const admin = (path: string, init?: RequestInit) => fetch(`${url}/__emulator/${path}`, init)
  return {
    server,
    source,
    clock,
    state: async () => (await (await admin('state')).json()) as Awaited<ReturnType<Bench['state']>>,
    async append(lines) {
      await admin('events', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.join('\n'),
      })
    },
    async close() {
      await source.close()
      await http.close()
      await server.close()
    },
  }
}

export function sourceOf(http: HttpClient, clock: Clock, settings: unknown): AuditSource {
  const parsed = infisical.options.parse(settings)
  bindSecrets(parsed, (reference) => reference)
  return infisical.create('test', parsed, {
    http,
    clock,
    log: SILENT,
    scratch: () => Promise.reject(new Error('no scratch folder is needed')),
    stdin: (async function* () {})(),
    baseDir: '/',
    shape: () => Promise.resolve(infisical.shape),
    strict: false,
  })
}

export type ReadAll = {
  /** In the order of the slices, each slice sorted. */
  readonly events: readonly AuditEvent[]
  readonly slices: readonly TimeRange[]
  readonly warnings: readonly string[]
}

/** The whole window, as an operation reads it: slices in order, each sorted, repeats inside a slice dropped. */
export async function readAll(
  source: AuditSource,
  window: TimeRange,
  options: Partial<OpenOptions> & { readonly filter?: EventFilter } = {},
): Promise<ReadAll> {
  const { filter = NO_FILTER, order = 'asc', concurrency = 4 } = options
  const signal = options.signal ?? new AbortController().signal
  const opened = await source.open(window, filter, { ...options, order, concurrency, signal })
  const events: AuditEvent[] = []
  const slices: TimeRange[] = []
  try {
    for await (const slice of opened.slices()) {
      slices.push(slice.range)
      const found = new Map<string, AuditEvent>()
      for await (const page of opened.read(slice, signal))
        for (const event of page) found.set(event.id, event)
      const sorted = [...found.values()].sort(compareEvents)
      events.push(...(order === 'asc' ? sorted : sorted.reverse()))
    }
    return { events, slices, warnings: opened.warnings() }
  } finally {
    await opened.close()
  }
}
