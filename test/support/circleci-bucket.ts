import type { AuditEvent } from '../../src/core/event.ts'
import { NO_FILTER } from '../../src/core/filter.ts'
import { SILENT } from '../../src/core/runtime.ts'
import type { AuditSource, Order } from '../../src/core/source.ts'
import { isoTime, type TimeRange } from '../../src/core/time-range.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { circleci } from '../../src/sources/circleci/index.ts'
import { FAKE_START, fakeClock } from './fake-clock.ts'
import { digest, type MemoryBucket } from './memory-objects.ts'

export const FROM = Date.UTC(2025, 6, 5, 9)

/** An event as CircleCI writes it; `more` goes over it. */
export function circleEvent(
  number: number,
  atMs: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const occurred = isoTime(atMs).replace('Z', '118203Z')
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    version: 1,
    action: 'context.secrets.accessed',
    occurred_at: occurred,
    success: true,
    actor: { id: 'b1f6', type: 'user', name: 'github: mona' },
    target: { id: '91ac', type: 'context', name: 'aws-prod' },
    organization: { id: '0f2b', type: 'organization', name: 'acme' },
    payload: { environment_variable_titles: ['AWS_ROLE_ARN'], run: 'big:12345678901234567890' },
    metadata: {},
    request: { id: 'c0ffee', ip_address: '203.0.113.9' },
    common_fields: { outcome: 'success', source_ip: '203.0.113.9', status: 'info', timestamp: occurred },
    ...more,
  }
}

export function lineOf(event: Record<string, unknown>): string {
  return JSON.stringify(event).replace(/"big:(\d+)"/, '$1')
}

/** Puts a file into the folder of an hour, named by its content; gives its key. */
export function deliver(
  bucket: MemoryBucket,
  deliveredAt: number,
  content: string | Uint8Array,
  options: { readonly prefix?: string; readonly isPadded?: boolean; readonly name?: string } = {},
): string {
  const bytes = Buffer.from(content)
  const [year = '', month = '', day = '', hour = ''] = isoTime(deliveredAt).split(/[-T:]/)
  const number = (text: string) => (options.isPadded === false ? String(Number(text)) : text)
  const name = options.name ?? `${isoTime(deliveredAt).slice(0, 19)}_${digest('sha1', bytes)}`
  const key = `${options.prefix ?? ''}year=${year}/month=${number(month)}/day=${number(day)}/hour=${number(hour)}/${name}`
  bucket.objects.set(key, bytes)
  return key
}

export function circleSource(bucket: MemoryBucket, settings: Record<string, unknown> = {}, strict = false) {
  const clock = fakeClock(FAKE_START)
  const warned: string[] = []
  const parts = {
    http: createHttpClient({ clock, log: SILENT, env: {}, version: 'test' }),
    clock,
    log: { ...SILENT, warn: (message: string) => void warned.push(message) },
    scratch: () => Promise.reject(new Error('nothing is spooled')),
    stdin: (async function* (): AsyncGenerator<Uint8Array> {})(),
    baseDir: '.',
    shape: () => Promise.reject(new Error('no other shape')),
    strict,
    openStore: bucket.open,
  }
  const options = circleci.options.parse({ type: 'circleci', bucket: 'memory', ...settings })
  return { source: circleci.create('ci', options, parts), warned, clock }
}

/** All slices read, a few at once, as a command reads them; repeats and order as they came. */
export async function readAll(
  source: AuditSource,
  window: TimeRange,
  order: Order = 'asc',
): Promise<{ events: AuditEvent[]; slices: TimeRange[]; warnings: readonly string[]; broken: number }> {
  const signal = new AbortController().signal
  const open = await source.open(window, NO_FILTER, { order, concurrency: 4, signal })
  const events: AuditEvent[] = []
  const slices: TimeRange[] = []
  try {
    for await (const slice of open.slices()) {
      slices.push(slice.range)
      for await (const page of open.read(slice, signal)) events.push(...page)
    }
    return { events, slices, warnings: open.warnings(), broken: open.brokenLines?.() ?? 0 }
  } finally {
    await open.close()
  }
}
