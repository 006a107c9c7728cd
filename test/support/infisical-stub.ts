import { SILENT } from '../../src/core/runtime.ts'
import type { TimeRange } from '../../src/core/time-range.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { type Exchange, listen } from '../../src/sandbox/listen.ts'
import { fakeClock } from './fake-clock.ts'
import { NOW, type ReadAll, readAll, sourceOf } from './infisical-source.ts'

/** A row of a table, newest first by `us`, the stored microseconds. */
export type Row = { readonly us: number; readonly json: string }

export type StubAsked = {
  readonly index: number
  readonly from: number
  readonly to: number
  readonly offset: number
  readonly limit: number
  readonly query: URLSearchParams
}

export type Stub = {
  readonly url: string
  readonly asked: StubAsked[]
  rows: Row[]
  close(): Promise<void>
}

/** An audit-log endpoint that does whatever a test says: for what a strict server would never do. Log-ins are taken as they come. */
export async function startStub(
  rows: readonly Row[],
  answer: (stub: Stub, asked: StubAsked, exchange: Exchange) => string | undefined = page,
): Promise<Stub> {
  const stub: { url: string; asked: StubAsked[]; rows: Row[]; close(): Promise<void> } = {
    url: '',
    asked: [],
    rows: [...rows],
    close: () => listener.close(),
  }
  const listener = await listen({
    handle(exchange) {
      const { query } = exchange
      const asked: StubAsked = {
        index: stub.asked.length + 1,
        from: Date.parse(query.get('startDate') ?? ''),
        to: Date.parse(query.get('endDate') ?? ''),
        offset: Number(query.get('offset')),
        limit: Number(query.get('limit')),
        query,
      }
      stub.asked.push(asked)
      const body = answer(stub, asked, exchange)
      if (body === undefined) return
      exchange.reply(200, body, { 'content-type': 'application/json; charset=utf-8' })
    },
  })
  stub.url = listener.url
  return stub
}

/** What an honest server of 2026 answers. */
export function page(stub: Stub, { from, to, offset, limit }: StubAsked): string {
  const inside = stub.rows.filter(({ us }) => us >= from * 1000 && us < to * 1000).sort((a, b) => b.us - a.us)
  return pageOf(inside.slice(offset, offset + limit))
}

export function pageOf(rows: readonly Row[]): string {
  return `{"auditLogs":[${rows.map(({ json }) => json).join(',')}]}`
}

export function row(n: number, us: number, more: Readonly<Record<string, unknown>> = {}): Row {
  const createdAt = new Date(Math.floor(us / 1000)).toISOString()
  const json = JSON.stringify({
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    ipAddress: null,
    userAgent: 'cli',
    userAgentType: 'cli',
    expiresAt: null,
    createdAt,
    updatedAt: createdAt,
    orgId: '2124a45b-316f-4b25-a3a7-cd68caf60dc6',
    projectId: null,
    projectName: null,
    event: { type: 'get-secret', metadata: { n } },
    actor: { type: 'platform', metadata: {} },
    ...more,
  })
  return { us, json }
}

/** `count` rows, `stepUs` apart, from an instant on. */
export function rowsFrom(startMs: number, count: number, stepUs: number): Row[] {
  return Array.from({ length: count }, (_, n) => row(n, startMs * 1000 + n * stepUs))
}

/** The window, read from a stub with these rows by the real source and client. */
export async function readStub(
  rows: readonly Row[],
  answer: Parameters<typeof startStub>[1],
  asked: {
    readonly settings: Readonly<Record<string, unknown>>
    readonly window: TimeRange
    readonly concurrency: number
  },
): Promise<{ readonly result: ReadAll; readonly stub: Stub }> {
  const { settings, window, concurrency } = asked
  const stub = await startStub(rows, answer)
  const clock = fakeClock(NOW)
  const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
  const auth = { method: 'token', token: 'a-token-0123456789' }
  try {
    const source = sourceOf(http, clock, { type: 'infisical', url: stub.url, auth, ...settings })
    return { result: await readAll(source, window, { concurrency }), stub }
  } finally {
    await http.close()
    await stub.close()
  }
}
