import { HOUR_MS, MINUTE_MS } from '../../core/time-range.ts'
import type { SandboxOptions } from '../service.ts'
import { type EventSet, withDuplicates, withTies } from './event-set.ts'
import { generatedSet } from './generated-set.ts'
import { recordedSet } from './recorded-set.ts'

/** About ten events a second, and never more than two weeks of them. */
const SPACING_MS = 100
const LONGEST_MS = 14 * 24 * HOUR_MS
const FIXED_START_MS = Date.UTC(2026, 10, 1)

/** The events that a sandbox of these options holds, in the form that its standing faults give them. */
export function buildSet(options: SandboxOptions): EventSet {
  const value = (kind: string): string | undefined => {
    const fault = options.faults.list().find((one) => one.service === 'infisical' && one.kind === kind)
    return fault === undefined ? undefined : (fault.value ?? '')
  }
  let set = plainSet(options, {
    seed: options.seed,
    nullExpiry: value('clickhouse') !== undefined,
    eventClass: value('event-class') !== undefined,
  })
  for (const [kind, sameMicrosecond] of [
    ['ties', true],
    ['ms-ties', false],
  ] as const) {
    const spec = value(kind)
    if (spec === undefined) continue
    const [size = '', groups = ''] = spec.split('/')
    set = withTies(set, Number(size || 3000), Number(groups || 1), sameMicrosecond)
  }
  const duplicates = value('duplicates')
  return duplicates === undefined ? set : withDuplicates(set, Number(duplicates || 50))
}

type Form = { readonly seed: number; readonly nullExpiry: boolean; readonly eventClass: boolean }

function plainSet(options: SandboxOptions, form: Form): EventSet {
  const now = options.now()
  if (options.events === undefined) {
    return recordedSet({ ...form, lastUs: options.recent ? (now - 30 * MINUTE_MS) * 1000 : undefined })
  }
  const span = Math.max(1000, Math.min(options.events * SPACING_MS, LONGEST_MS))
  const fromMs = options.recent ? now - HOUR_MS - span : FIXED_START_MS
  return generatedSet({
    ...form,
    size: options.events,
    fromUs: fromMs * 1000,
    toUs: (fromMs + span) * 1000,
  })
}
