import { AuditctlError } from '../../core/errors.ts'
import type { Clock } from '../../core/runtime.ts'
import { retryDelay } from '../../http/retry-delay.ts'
import { type Attempted, errorOf, isRetryable, problemOf } from './problem.ts'
import type { ObjectEntry, ObjectHead, ObjectStore } from './store.ts'
import { untilAborted } from './until-aborted.ts'

const MAX_ATTEMPTS = 6
const MAX_WAIT_MS = 5 * 60_000
const TIMEOUT_MS = 120_000
/** Slower than this an upload is given up. */
const LEAST_BYTES_PER_MS = 100

export const SERVICES = { s3: 'S3', gcs: 'Google Cloud Storage', 'azure-blob': 'Azure Blob Storage' } as const
export const PERMISSIONS = {
  s3: {
    list: 's3:ListBucket on the bucket',
    read: 's3:GetObject on its objects (and kms:Decrypt where a customer key encrypts them)',
    write:
      's3:PutObject and s3:GetObject on its objects (and kms:GenerateDataKey where a customer key encrypts them)',
  },
  gcs: {
    list: 'storage.objects.list',
    read: 'storage.objects.get',
    write: 'storage.objects.create and storage.objects.get',
  },
  'azure-blob': {
    list: 'the role Storage Blob Data Reader',
    read: 'the role Storage Blob Data Reader',
    write: 'the role Storage Blob Data Contributor',
  },
} as const

/** The same store with its reads repeated, and its errors in our words. `create` stays one attempt, and its errors as they came. */
export function retried(
  store: ObjectStore,
  clock: Clock,
  { rate, timeoutMs = TIMEOUT_MS }: { readonly rate?: number | undefined; readonly timeoutMs?: number } = {},
): ObjectStore {
  const pace = pacer(clock, rate)
  const what = (kind: 'list' | 'read', key: string): Omit<Attempted, 'now'> => ({
    service: SERVICES[store.kind],
    operation: `${kind} ${store.url}/${key}`,
    permission: PERMISSIONS[store.kind][kind],
  })
  const again = <Value>(attempted: Omit<Attempted, 'now'>, signal: AbortSignal, work: () => Promise<Value>) =>
    repeated(attempted, signal, clock, async () => {
      await pace(signal)
      return within(timeoutMs, signal, work)
    })
  return {
    kind: store.kind,
    url: store.url,
    async *list(prefix, signal, from) {
      // A page that failed is asked for by beginning again behind the last key that was given.
      let last = from
      let pages = store.list(prefix, signal, last)
      try {
        for (;;) {
          const page = await again(what('list', prefix), signal, async () => {
            try {
              return await pages.next()
            } catch (error) {
              pages = store.list(prefix, signal, last)
              throw error
            }
          })
          if (page.done === true) return
          const fresh = after(page.value, last)
          last = fresh.at(-1)?.key ?? last
          if (fresh.length > 0) yield fresh
        }
      } finally {
        await pages.return(undefined)
      }
    },
    folders: (prefix, signal) => again(what('list', prefix), signal, () => store.folders(prefix, signal)),
    head: (key, signal): Promise<ObjectHead | undefined> =>
      again(what('read', key), signal, () => store.head(key, signal)),
    async *read(key, signal) {
      // Bytes already given are passed over; an object that changed meanwhile is noticed by whoever checks its digest.
      let given = 0
      for (let attempt = 1; ; ) {
        let skip = given
        await pace(signal)
        const limit = limiter(clock, timeoutMs, signal)
        const blocks = store.read(key, signal)
        try {
          for (;;) {
            const step = await untilAborted(blocks.next(), limit())
            if (step.done === true) return
            const block = step.value
            const fresh = skip === 0 ? block : block.subarray(Math.min(skip, block.length))
            skip -= block.length - fresh.length
            given += fresh.length
            if (fresh.length > 0) yield fresh
          }
        } catch (error) {
          attempt = await failed(error, attempt, { ...what('read', key), now: clock.now() }, signal, clock)
        }
      }
    },
    async create(object, signal) {
      await pace(signal)
      const ms = timeoutMs + object.content.length / LEAST_BYTES_PER_MS
      return within(ms, signal, (own) => store.create(object, own))
    },
    probe: (signal) => again(what('list', ''), signal, () => store.probe(signal)),
    requests: () => store.requests(),
    close: () => store.close(),
  }
}

function after(page: readonly ObjectEntry[], last: string | undefined): readonly ObjectEntry[] {
  if (last === undefined || page.length === 0) return page
  const bound = Buffer.from(last)
  return page.filter(({ key }) => Buffer.compare(Buffer.from(key), bound) > 0)
}

/** Repeats what may be repeated while that may help. @throws what the user is told when there is no more attempt */
export async function repeated<Value>(
  attempted: Omit<Attempted, 'now'>,
  signal: AbortSignal,
  clock: Clock,
  work: () => Promise<Value>,
): Promise<Value> {
  for (let attempt = 1; ; ) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      // Said already, by something inside that had its own attempts.
      if (error instanceof AuditctlError) throw error
      attempt = await failed(error, attempt, { ...attempted, now: clock.now() }, signal, clock)
    }
  }
}

/** Waits and gives the number of the next attempt. @throws what the user is told when there is none */
async function failed(
  error: unknown,
  attempt: number,
  attempted: Attempted,
  signal: AbortSignal,
  clock: Clock,
): Promise<number> {
  if (signal.aborted) throw signal.reason
  const problem = problemOf(error, attempted.now)
  const budget = { maxAttempts: MAX_ATTEMPTS, maxWaitMs: MAX_WAIT_MS, waitedMs: 0, random: clock.random() }
  const delay = isRetryable(problem) ? retryDelay(attempt, problem, budget) : undefined
  if (delay === undefined) throw errorOf(error, attempted, attempt)
  await clock.sleep(delay, signal)
  return attempt + 1
}

/** Waits so that requests begin at most `rate` times a second. */
function pacer(clock: Clock, rate: number | undefined): (signal: AbortSignal) => Promise<void> {
  let next = 0
  return async (signal) => {
    if (rate === undefined) return
    const now = clock.monotonic()
    const at = Math.max(now, next)
    next = at + 1000 / rate
    if (at > now) await clock.sleep(at - now, signal)
  }
}

/** A signal for the next block of many: fires when none came for about `ms`. One for each block would cost more than small blocks do. */
function limiter(clock: Clock, ms: number, signal: AbortSignal): () => AbortSignal {
  let current = signal
  let renewAt = Number.NEGATIVE_INFINITY
  return () => {
    signal.throwIfAborted()
    const now = clock.monotonic()
    if (now < renewAt) return current
    renewAt = now + ms / 8
    current = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil((ms * 9) / 8))])
    return current
  }
}

/** One attempt, given up after `ms`: not every SDK keeps a time limit, or takes a signal. */
async function within<Value>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted()
  const own = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(ms))])
  return await untilAborted(work(own), own)
}
