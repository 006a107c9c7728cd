import type { FaultPlan } from '../faults.ts'
import type { StoredRow } from './store.ts'

/**
 * Faults of one search, by kind; `@N` counts searches.
 *
 * `search-401`, `search-503`, `search-status=CODE`, `search-html` (200), `search-empty` (200 without a byte), `search-slow=MS`, `search-preview` (interim rows
 * although none were asked for), `search-warn` (a peer is silent), `search-fatal=N`, `search-cut=N` (ends without a last row) and `search-reset=N`, each after
 * N rows. Standing, for ever unless counted: `hide[=TIME]`: the role sees nothing older than that, or nothing at all, and is not told.
 */
export type SearchFaults = {
  readonly status: number | undefined
  readonly isEmpty: boolean
  readonly slowMs: number
  readonly hasPreview: boolean
  readonly isWarned: boolean
  readonly fatalAfter: number
  readonly cutAfter: number
  readonly resetAfter: number
  isHidden(row: StoredRow): boolean
}

export function searchFaults(plan: FaultPlan, search: number): SearchFaults {
  const take = (kind: string) => plan.take('splunk', kind, search)
  const isDue = (kind: string) => take(kind) !== undefined
  const after = (kind: string) => {
    const fault = take(kind)
    return fault === undefined ? Number.POSITIVE_INFINITY : Number(fault.value ?? 0)
  }
  const status = take('search-status')
  const hide = plan.standing('splunk', 'hide', search)
  const hiddenBefore =
    hide === undefined
      ? Number.NEGATIVE_INFINITY
      : hide.value === undefined
        ? Number.POSITIVE_INFINITY
        : Date.parse(hide.value) / 1000
  return {
    status: isDue('search-401')
      ? 401
      : isDue('search-503')
        ? 503
        : isDue('search-html')
          ? 200
          : status === undefined
            ? undefined
            : Number(status.value ?? 500),
    isEmpty: isDue('search-empty'),
    slowMs: Number(take('search-slow')?.value ?? 0),
    hasPreview: isDue('search-preview'),
    isWarned: isDue('search-warn'),
    fatalAfter: after('search-fatal'),
    cutAfter: after('search-cut'),
    resetAfter: after('search-reset'),
    isHidden: (row) => row.time < hiddenBefore,
  }
}
