import { UserError } from '../../core/errors.ts'
import { suggestion } from '../../core/suggest.ts'
import type { FaultPlan } from '../faults.ts'

/** Accidents strike once, or as often as `xTIMES` says. */
const ACCIDENTS: Readonly<Record<string, string>> = {
  'error-500': 'a database error',
  'rate-limit': '429 with headers; =SECONDS to wait (1)',
  'rate-limit-bare': '429 that says it in the message alone',
  reset: 'the connection ends without an answer',
  'reset-body': 'the connection ends in the middle of the page',
  hang: 'no answer at all',
  truncate: 'half of the page as a complete answer',
  html: 'a page of HTML; =STATUS (200)',
  forbidden: '403 PermissionDenied',
  'token-expire': 'every token given out so far has expired',
  late: 'a row with an old time is stored only now',
}

/** Modes stay in force unless `xTIMES` counts them. */
const MODES: Readonly<Record<string, string>> = {
  slow: 'latency of a page; =MS (100)',
  limit: 'the limiter with headers; =REQUESTS a minute (600)',
  'limit-bare': 'the limiter without headers',
  'error-504': 'windows wider than =DURATION time out (all)',
  'token-ttl': 'tokens live =SECONDS (60)',
  'uses-limit': 'tokens are good for =CALLS (5)',
  'storage-disabled': '200 and nothing',
  loop: 'the first page for every offset',
  pretty: 'pages over many lines',
}

/** Forms of the data, whatever `@N` and `xTIMES` say. */
const FORMS: Readonly<Record<string, string>> = {
  ties: '=SIZE[/GROUPS] rows on one microsecond, in shifting order (3000/1)',
  'ms-ties': '=SIZE[/GROUPS] rows inside one millisecond',
  duplicates: 'every =Nth row is stored twice (50)',
  clickhouse: 'no expiry; metadata keys that ClickHouse cannot ask for are skipped',
  'event-class': 'rows carry eventClass',
  'big-event': 'one event of =BYTES (1000000)',
}

/** What `--fault infisical:KIND` can do. */
export const INFISICAL_FAULTS: Readonly<Record<string, string>> = { ...ACCIDENTS, ...MODES, ...FORMS }

/** @throws UserError for a kind that would do nothing */
export function checkFaults(plan: FaultPlan): void {
  const known = Object.keys(INFISICAL_FAULTS)
  const unknown = plan.list().find((fault) => fault.service === 'infisical' && !known.includes(fault.kind))
  if (unknown === undefined) return
  throw new UserError(`infisical has no fault ${JSON.stringify(unknown.kind)}`, {
    hint: suggestion(unknown.kind, known) ?? `it has ${known.join(', ')}`,
  })
}
