import type {
  AcceptWindow,
  BatchLimits,
  DeliveryBatch,
  Destination,
  Frame,
  LatePolicy,
  Positions,
  Receipt,
} from '../../src/core/destination.ts'
import type { JsonObject } from '../../src/core/event.ts'
import type { Inventory } from '../../src/core/inventory.ts'
import type { Clock } from '../../src/core/runtime.ts'
import { isInside } from '../../src/core/time-range.ts'

export type Row = {
  readonly id: string
  readonly at: number
  readonly visibleAt: number
  readonly text: string
}

/** What a SIEM does with one request: which positions it stores, and what it says. */
export type Answer = {
  readonly stores?: 'all' | 'none' | Positions
  readonly receipt?: (count: number) => Partial<Receipt>
  /** Called while the request is under way. */
  readonly during?: () => void
}

export type SiemOptions = {
  readonly clock: Clock
  readonly graceMs?: number
  readonly limits?: Partial<BatchLimits>
  readonly frame?: Frame
  readonly accepts?: AcceptWindow
  readonly lateDefault?: LatePolicy
  readonly concurrency?: number
  /** How long a stored row stays unsearchable. */
  readonly indexDelayMs?: number
}

const whole = (count: number): Positions => [[0, count]]

/** Answers for scripts, by what they mean. */
export const ANSWERS = {
  accept: {},
  busy: { stores: 'none', receipt: (n) => ({ retry: whole(n), code: 'busy' }) },
  throttle: (ms: number): Answer => ({
    stores: 'none',
    receipt: (n) => ({ retry: whole(n), code: 'http-429', retryAfterMs: ms }),
  }),
  tooLarge: { stores: 'none', receipt: (n) => ({ split: whole(n), code: 'http-413' }) },
  resetBefore: { stores: 'none', receipt: (n) => ({ unknown: whole(n), code: 'reset' }) },
  resetAfter: { stores: 'all', receipt: (n) => ({ unknown: whole(n), code: 'reset' }) },
  silent: { stores: 'all', receipt: () => ({ code: 'silent' }) },
  forget: { stores: 'none', receipt: (n) => ({ accepted: whole(n), code: 'ok' }) },
  stop: (error: Receipt['stop']): Answer => ({
    stores: 'none',
    receipt: (n) => ({ retry: whole(n), code: 'stop', ...(error === undefined ? {} : { stop: error }) }),
  }),
} satisfies Record<string, Answer | ((...values: never[]) => Answer)>

export type ScriptedSiem = {
  readonly destination: Destination
  readonly inventory: Inventory
  readonly rows: Row[]
  /** Answers to the next requests, in order; when it is empty, everything is stored and accepted. */
  readonly script: Answer[]
  /** Wins over the script: what to do with a request that holds these events. */
  judge: ((batch: readonly string[]) => Answer | undefined) | undefined
  /** Ids of each request, as it was sent. */
  readonly requests: string[][]
  readonly bodies: string[]
  readonly sentAt: number[]
  ids(): string[]
  hold(lines: readonly string[]): void
  /** Searches answer with these instead, one each. */
  readonly searches: ((window: { from: number; to: number }) => Partial<SearchAnswer>)[]
  searched: { from: number; to: number }[]
}
export type SearchAnswer = {
  readonly rows: readonly Row[]
  readonly exhausted: boolean
  readonly reason: string
}

/** A destination and its inventory in memory, which do as the test says. */
export function scriptedSiem(options: SiemOptions): ScriptedSiem {
  const { clock } = options
  const frame = options.frame ?? { open: '', separator: '', close: '' }
  const siem: ScriptedSiem = {
    rows: [],
    script: [],
    judge: undefined,
    requests: [],
    bodies: [],
    sentAt: [],
    searches: [],
    searched: [],
    ids: () => siem.rows.map(({ id }) => id),
    hold(lines) {
      for (const line of lines) siem.rows.push(rowOf(line, 0))
    },
    destination: {
      name: 'soc',
      provider: 'scripted',
      traits: {
        limits: { maxEvents: 100, maxBytes: 100_000, maxEventBytes: 10_000, ...options.limits },
        frame,
        accepts: options.accepts ?? {},
        lateDefault: options.lateDefault ?? 'skip',
        graceMs: options.graceMs ?? 60_000,
        concurrency: options.concurrency ?? 4,
      },
      encode(streamed, _event, { restamp, mark }) {
        const event = JSON.parse(Buffer.from(streamed).toString()) as JsonObject
        return Buffer.from(
          JSON.stringify({ ...event, ...(restamp ? { restamped: true } : {}), ...(mark ? { mark } : {}) }),
        )
      },
      async deliver(batch: DeliveryBatch, { signal }) {
        siem.requests.push([...batch.ids])
        siem.sentAt.push(clock.now())
        const texts = batch.encoded.map((bytes) => Buffer.from(bytes).toString())
        siem.bodies.push(frame.open + texts.join(frame.separator) + frame.close)
        const answer = siem.judge?.(batch.ids) ?? siem.script.shift() ?? {}
        answer.during?.()
        await clock.sleep(1)
        signal.throwIfAborted()
        const { stores = 'all' } = answer
        const stored = stores === 'all' ? whole(texts.length) : stores === 'none' ? [] : stores
        for (const [from, to] of stored)
          for (const text of texts.slice(from, to))
            siem.rows.push(rowOf(text, clock.now() + (options.indexDelayMs ?? 0)))
        const said = answer.receipt?.(texts.length) ?? { accepted: whole(texts.length) }
        return { code: 'ok', reason: `the SIEM said ${said.code ?? 'ok'}`, ...said }
      },
      test: async () => [],
      close: async () => {},
    },
    inventory: {
      name: 'soc',
      traits: { tellsDuplicates: true, tellsTime: true },
      plan: async (window) => [window],
      async *ids(window) {
        siem.searched.push({ ...window })
        await clock.sleep(1)
        const visible = siem.rows.filter((row) => isInside(row.at, window) && row.visibleAt <= clock.now())
        const { rows = visible, exhausted = true, reason } = siem.searches.shift()?.(window) ?? {}
        yield { ids: rows.map(({ id }) => id), atMs: rows.map(({ at }) => at) }
        return { exhausted, ...(reason === undefined ? {} : { reason }) }
      },
      count: async (window) => siem.rows.filter(({ at }) => isInside(at, window)).length,
      test: async () => [],
      queries: () => siem.searched.length,
      close: async () => {},
    },
  }
  return siem
}

export function rowOf(text: string, visibleAt: number): Row {
  const { id, createdAt } = JSON.parse(text) as { id: string; createdAt: string }
  return { id, at: Date.parse(createdAt), visibleAt, text }
}
