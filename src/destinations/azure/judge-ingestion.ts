import type { Positions, Receipt } from '../../core/destination.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { positions, wholeBatch } from '../envelope.ts'
import { type Judged, judgeStatus, refusedConfig, refusedCredentials } from '../judge.ts'

const ROLE_HINT =
  'give the application the role Monitoring Metrics Publisher on the data collection rule; it takes up to 30 minutes to work'
const PLACE_HINT =
  'check endpoint, ruleId (dcr-…) and stream (Custom-…, as the rule declares it); some services answer 404 also to a request that is too large'

/** 204 says that the call was taken, never that it was stored; there is nothing else to read from a success. */
export function judgeIngestion(reply: HttpReply, count: number, judged: Judged): Receipt {
  const error = errorOf(reply)
  const code = error.code === undefined ? `http-${reply.status}` : `http-${reply.status}-${error.code}`
  if (reply.status === 204) return { accepted: wholeBatch(count), code, reason: 'accepted' }
  const receipt = judgeStatus(reply, count, judged)
  const reason = `${judged.service} answered ${reply.status}${error.said}`
  if (reply.status === 403) {
    return {
      ...receipt,
      code,
      reason,
      stop: refusedCredentials(reply, reason, { ...judged, authHint: ROLE_HINT }),
    }
  }
  if (reply.status === 404) {
    return { ...receipt, code, reason, stop: refusedConfig(reply, reason, judged, PLACE_HINT) }
  }
  return error.code === undefined ? receipt : { ...receipt, code, reason }
}

/** The code by header or body: either may be missing, and the body need not be JSON. */
function errorOf(reply: HttpReply): { readonly code: string | undefined; readonly said: string } {
  const header = reply.headers['x-ms-error-code'] ?? reply.headers['ms-error-code']
  let error: { readonly code?: unknown; readonly message?: unknown } | undefined
  try {
    error = (reply.json() as { readonly error?: typeof error } | null)?.error
  } catch {
    error = undefined
  }
  const code = header ?? (typeof error?.code === 'string' ? error.code : undefined)
  const message = typeof error?.message === 'string' ? `, ${redact(error.message.slice(0, 160))}` : ''
  return { code: code?.replace(/[^\w-]/g, ''), said: code === undefined ? message : ` ${code}${message}` }
}

/** A receipt for the sent part of a batch, told in the positions of the whole batch. */
export function inWholeBatch(receipt: Receipt, sent: readonly number[]): Receipt {
  const back = (part: Positions | undefined): Positions | undefined =>
    part?.flatMap(([from, to]) => ranges(sent.slice(from, to)))
  const { accepted, unverified, retry, split, unknown, ...rest } = receipt
  const parts = { accepted, unverified, retry, split, unknown }
  const moved = Object.entries(parts).flatMap(([name, part]) => {
    const there = back(part)
    return there === undefined ? [] : [[name, there] as const]
  })
  return { ...rest, ...Object.fromEntries(moved) }
}

function ranges(indexes: readonly number[]): Positions {
  const found: [number, number][] = []
  for (const index of indexes) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === index) last[1] = index + 1
    else found.push([index, index + 1])
  }
  return found.flatMap(([from, to]) => positions(from, to))
}
