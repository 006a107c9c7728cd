import { type EntrySet, type Facts, microsOf } from './entries.ts'

/** An entry that was appended: by an export, or as text kept to the byte. */
type Extra = { readonly facts: Facts; readonly raw: string }

export type Query = {
  readonly fromUs: number
  readonly toUs: number
  readonly matches: (facts: Facts) => boolean
}

export type Store = {
  readonly last: number
  facts(sequence: number): Facts
  text(sequence: number): string
  add(raw: string): void
  /** Sequence numbers that match, from one on (itself not included) in the asked direction. */
  page(
    query: Query,
    after: number | undefined,
    limit: number,
    isDescending: boolean,
  ): { readonly found: readonly number[]; readonly hasMore: boolean }
  all(query: Query): Generator<number>
}

export function openStore(set: EntrySet, jitterUs: number): Store {
  const extras: Extra[] = []
  const facts = (sequence: number): Facts =>
    sequence <= set.size ? set.facts(sequence) : (extras[sequence - set.size - 1] as Extra).facts
  const timeUs = (sequence: number): number =>
    sequence <= set.size ? set.timeUs(sequence) : (extras[sequence - set.size - 1] as Extra).facts.timeUs
  const lowerBound = (us: number): number => {
    let low = 1
    let high = set.size + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (set.timeUs(middle) < us) low = middle + 1
      else high = middle
    }
    return low
  }
  /** Runs of sequence numbers outside of which nothing is inside the bounds: those of the set, and all extras. */
  const spans = ({ fromUs, toUs }: Query): readonly (readonly [first: number, last: number])[] => [
    [Math.max(1, lowerBound(fromUs - jitterUs) - 50), Math.min(set.size, lowerBound(toUs + jitterUs) + 50)],
    [set.size + 1, set.size + extras.length],
  ]
  function* walk(query: Query, after: number | undefined, isDescending: boolean): Generator<number> {
    const order = isDescending ? [...spans(query)].reverse() : spans(query)
    for (const [first, last] of order) {
      const step = isDescending ? -1 : 1
      let sequence = isDescending ? last : first
      if (after !== undefined)
        sequence = isDescending ? Math.min(sequence, after - 1) : Math.max(sequence, after + 1)
      for (; sequence >= first && sequence <= last; sequence += step) {
        const us = timeUs(sequence)
        if (us >= query.fromUs && us < query.toUs && query.matches(facts(sequence))) yield sequence
      }
    }
  }
  return {
    get last() {
      return set.size + extras.length
    },
    facts,
    text: (sequence) =>
      sequence <= set.size
        ? JSON.stringify(set.entry(sequence))
        : (extras[sequence - set.size - 1] as Extra).raw,
    add: (raw) => {
      extras.push({ raw, facts: factsOf(raw) })
    },
    page(query, after, limit, isDescending) {
      const found: number[] = []
      for (const sequence of walk(query, after, isDescending)) {
        if (found.length === limit) return { found, hasMore: true }
        found.push(sequence)
      }
      return { found, hasMore: false }
    },
    all: (query) => walk(query, undefined, false),
  }
}

function factsOf(raw: string): Facts {
  const entry = JSON.parse(raw) as Readonly<Record<string, unknown>>
  const text = (key: string): string => (typeof entry[key] === 'string' ? entry[key] : '')
  return {
    timeUs: microsOf(text('timestamp')) ?? 0,
    action: text('action'),
    identityId: text('identity_id'),
    identityType: text('identity_type'),
    secretPath: text('secret_path') || null,
    sourceIp: text('source_ip'),
    requestId: text('request_id'),
    success: entry['success'] !== false,
  }
}
