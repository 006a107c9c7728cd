import type { AuditEvent } from '../../src/core/event.ts'
import { eventsOf } from '../../src/core/events-of.ts'
import { sliceLines } from '../../src/core/json-lines.ts'
import type { AuditSource, EventShape } from '../../src/core/source.ts'
import { HOUR_MS, isInside, isoTime, type TimeRange } from '../../src/core/time-range.ts'

/** A shape whose streamed form is the native one. */
export const PLAIN_SHAPE: EventShape = {
  type: 'infisical',
  reader: {
    type: 'infisical',
    actor: () => undefined,
    action: () => 'get-secret',
    target: () => undefined,
  },
  columns: ['id', 'createdAt'],
  tableColumns: ['createdAt', 'id'],
  filters: { actor: (record, value) => record['actor'] === value },
  idKey: 'id',
  timeKey: 'createdAt',
  aliases: (type) => [type],
  asStreamed: (event) => ({ bytes: event.bytes, notRebuilt: [] }),
  toCommon: () => {
    throw new Error('nobody asks for the common shape here')
  },
  knownEventTypes: [],
}

export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** The native line of an event. */
export function lineOf(number: number, atMs: number, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ id: idOf(number), createdAt: isoTime(atMs), ...more })
}

export type ScriptedSource = AuditSource & {
  /** Its events; tests may take some away. */
  lines: string[]
  /** Thrown by the next slice to be read, once. */
  failure: Error | undefined
  retentionMs: number | undefined
}

/** A source that answers from lines in memory, in slices of `sliceMs`, newest first as servers do. */
export function scriptedSource(
  lines: readonly string[],
  { sliceMs = HOUR_MS, shape = PLAIN_SHAPE }: { readonly sliceMs?: number; readonly shape?: EventShape } = {},
): ScriptedSource {
  const events = (): AuditEvent[] =>
    eventsOf(sliceLines(Buffer.from(source.lines.join('\n')), shape).spans, shape)
  let requests = 0
  const source: ScriptedSource = {
    name: 'prod',
    lines: [...lines],
    failure: undefined,
    retentionMs: undefined,
    shape,
    get traits() {
      return { allowedLatenessMs: 0, liveRetryMs: 0, retentionMs: source.retentionMs }
    },
    streamedSettings: { store: 'postgres', retentionDays: undefined },
    async open(window: TimeRange) {
      const all = events()
      return {
        async *slices() {
          let index = 0
          for (let from = window.from; from < window.to; from += sliceMs, index += 1)
            yield { index, range: { from, to: Math.min(window.to, from + sliceMs) } }
        },
        async *read(slice) {
          requests += 1
          const { failure } = source
          source.failure = undefined
          if (failure !== undefined) throw failure
          yield all.filter((event) => isInside(event.occurredAtMs, slice.range)).reverse()
        },
        warnings: () => [],
        close: async () => {},
      }
    },
    plan: () => ({ requests: [], pushedDown: [], local: [], estimatedPages: undefined }),
    identify: async () => ({
      url: undefined,
      organization: undefined,
      identity: undefined,
      scope: undefined,
      generation: undefined,
    }),
    test: async () => [],
    requests: () => requests,
    close: async () => {},
  }
  return source
}
