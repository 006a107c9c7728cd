import type { JsonObject } from '../../core/event.ts'

/** An audit event as the query API shows it; read by filters, never by the hot path. */
export type NativeEvent = JsonObject & {
  readonly id: string
  readonly createdAt: string
  readonly userAgentType?: string | null
  readonly projectId?: string | null
  readonly event: { readonly type: string; readonly metadata?: unknown }
  readonly actor: { readonly type: string; readonly metadata?: unknown }
}

export type Test = (event: NativeEvent) => boolean

/** Events in the order of time, addressed by position; nothing says that they are in memory. */
export type EventSet = {
  readonly size: number
  /** No event of the set is longer. */
  readonly maxBytes: number
  /** When it was stored, in microseconds since 1970. Never falls as the position rises. */
  timeUs(index: number): number
  /** Writes the event's JSON, dated `timeUs`, and gives the end. */
  write(index: number, timeUs: number, target: Buffer, at: number): number
  /** The same events judged by position; `variable` says that the test looks at what differs from event to event. */
  matcher(test: Test, variable: boolean): (index: number) => boolean
}

export function eventBytes(set: EventSet, index: number): Buffer {
  const target = Buffer.allocUnsafe(set.maxBytes)
  return target.subarray(0, set.write(index, set.timeUs(index), target, 0))
}

/** Parsed anew on each call. */
export function eventAt(set: EventSet, index: number): NativeEvent {
  return JSON.parse(eventBytes(set, index).toString('utf8')) as NativeEvent
}

/** The first position whose time is not before `timeUs`. */
export function lowerBound(set: Pick<EventSet, 'size' | 'timeUs'>, timeUs: number): number {
  let low = 0
  let high = set.size
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (set.timeUs(middle) < timeUs) low = middle + 1
    else high = middle
  }
  return low
}

/** `groups` runs of `size` events each get one time: the same microsecond, or only the same millisecond. */
export function withTies(base: EventSet, size: number, groups: number, sameMicrosecond: boolean): EventSet {
  const length = Math.min(size, Math.floor(base.size / groups))
  const stride = base.size / groups
  const timeUs = (index: number): number => {
    const group = Math.min(groups - 1, Math.floor(index / stride))
    const start = Math.floor(group * stride + (stride - length) / 2)
    if (index < start || index >= start + length) return base.timeUs(index)
    const first = base.timeUs(start)
    if (sameMicrosecond) return first
    // The next whole millisecond, from its start on: distinct times as long as there are microseconds for them.
    return Math.ceil(first / 1000) * 1000 + Math.floor(((index - start) * 1000) / length)
  }
  return { ...base, timeUs }
}

/** Every `every`th event is there twice under the same id, as ClickHouse keeps it until a merge. */
export function withDuplicates(base: EventSet, every: number): EventSet {
  const position = (index: number): number =>
    Math.floor(index / (every + 1)) * every + Math.min(index % (every + 1), every - 1)
  return {
    ...base,
    size: base.size + Math.floor(base.size / every),
    timeUs: (index) => base.timeUs(position(index)),
    write: (index, timeUs, target, at) => base.write(position(index), timeUs, target, at),
    matcher(test, variable) {
      const matches = base.matcher(test, variable)
      return (index) => matches(position(index))
    },
  }
}
