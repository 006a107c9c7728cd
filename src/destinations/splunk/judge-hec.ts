import type { Receipt } from '../../core/destination.ts'
import { ContractError } from '../../core/errors.ts'
import { type HttpFailure, type HttpReply, isFailure } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { positions, wholeBatch } from '../envelope.ts'
import {
  type Judged,
  judgeFailure,
  judgeStatus,
  refusedConfig,
  refusedCredentials,
  retryAfterOf,
} from '../judge.ts'

export type HecReply = {
  readonly code: number
  readonly text: string
  readonly eventNumber: unknown
  readonly ackId: number | undefined
}

const EVENT_REFUSED = new Set([6, 7, 12, 13, 15])
const WRONG_INDEX = 7
const TOKEN_REFUSED = new Set([1, 2, 3, 4, 16, 21, 22])
/** Refused before anything was read; code 9 only without an event number. */
const NOTHING_STORED = new Set([9, 18, 19, 20, 23])
const SLOW_DOWN_MS = 2000
/** A body that every known server takes: refusing its first event as malformed is then about the event, not about the size. */
const SURELY_SMALL_BYTES = 1_000_000

const CONFIG_HINTS: Readonly<Record<number, string>> = {
  10: 'the token has indexer acknowledgment on: set "acknowledge": true',
  11: 'the token has indexer acknowledgment on: set "acknowledge": true',
  14: 'the token has indexer acknowledgment off: set "acknowledge": false, or switch it on for the token',
  28: 'the token has indexer acknowledgment on: set "acknowledge": true',
}

/** HEC's own words in a reply; undefined when something else answered (a proxy's page). */
export function readHec(reply: HttpReply): HecReply | undefined {
  let body: unknown
  try {
    body = reply.json()
  } catch {
    return undefined
  }
  if (body === null || typeof body !== 'object') return undefined
  const { code, text, ackId, ...rest } = body as Record<string, unknown>
  if (typeof code !== 'number') return undefined
  return {
    code,
    text: redact(String(text ?? '')),
    eventNumber: rest['invalid-event-number'],
    ackId: typeof ackId === 'number' ? ackId : undefined,
  }
}

/** What was sent: how many events, and how many bytes of body before compression. */
export type Sent = { readonly count: number; readonly bytes: number }

/** Judges answers to one stream's requests, by status and HEC code; remembers only how often in a row a first event was refused. */
export function createHecJudge(): (answer: HttpReply | HttpFailure, sent: Sent, judged: Judged) => Receipt {
  let streak = { code: Number.NaN, length: 0 }
  return (answer, sent, judged) => {
    if (isFailure(answer)) return judgeFailure(answer, sent.count)
    const hec = readHec(answer)
    if (hec === undefined) return judgeStatus(answer, sent.count, judged)
    const receipt = judgeReply(answer, hec, sent, judged)
    if ((receipt.accepted ?? receipt.unverified ?? []).length > 0) streak = { code: Number.NaN, length: 0 }
    if (receipt.rejected?.[0]?.position !== 0) return receipt
    streak = { code: hec.code, length: streak.code === hec.code ? streak.length + 1 : 1 }
    if (streak.length < 3) return receipt
    const reason = `${receipt.reason}, as for the first event of two requests before`
    const hint = 'this looks like configuration, not data: run auditctl stream test'
    return {
      retry: wholeBatch(sent.count),
      code: receipt.code,
      reason,
      stop: refusedConfig(answer, reason, judged, hint),
    }
  }
}

function judgeReply(reply: HttpReply, hec: HecReply, sent: Sent, judged: Judged): Receipt {
  const whole = wholeBatch(sent.count)
  const code = `hec-${hec.code}`
  const reason = `${judged.service} answered ${reply.status} code ${hec.code}, ${hec.text || 'without a text'}`
  const retryAfterMs = retryAfterOf(reply, judged.now)
  if (reply.status === 200) {
    if (hec.code === 0) return { accepted: whole, code, reason }
    if (hec.code === 24 || hec.code === 25) {
      return { accepted: whole, code, reason, slowDownMs: retryAfterMs ?? SLOW_DOWN_MS }
    }
    return { unknown: whole, code, reason: `${reason}: not an answer to events` }
  }
  if (reply.status === 401 || reply.status === 403 || (reply.status === 400 && TOKEN_REFUSED.has(hec.code))) {
    return { retry: whole, code, reason, stop: refusedCredentials(reply, reason, judged) }
  }
  if (reply.status === 400) return judgeRefusal(reply, hec, sent, judged, { code, reason })
  if (reply.status === 503 && NOTHING_STORED.has(hec.code)) {
    if (hec.code !== 9 || hec.eventNumber === undefined) return { retry: whole, code, reason, retryAfterMs }
    const resumeAt = hec.eventNumber
    if (isPosition(resumeAt, sent.count)) {
      return {
        unverified: positions(0, resumeAt),
        unknown: positions(resumeAt, sent.count),
        code,
        reason: `${reason}, from event ${resumeAt} on`,
        retryAfterMs,
      }
    }
  }
  return { ...judgeStatus(reply, sent.count, judged), code, reason }
}

/**
 * A 400. HEC reads a request event by event and stops at the first one it refuses: what stands before is stored, what follows is not.
 * Its number counts from zero, except for a wrong index, where it is one too high.
 */
function judgeRefusal(
  reply: HttpReply,
  hec: HecReply,
  sent: Sent,
  judged: Judged,
  said: { readonly code: string; readonly reason: string },
): Receipt {
  const whole = wholeBatch(sent.count)
  const hint = CONFIG_HINTS[hec.code]
  if (hint !== undefined) {
    return { retry: whole, ...said, stop: refusedConfig(reply, said.reason, judged, hint) }
  }
  if (hec.code === 5) {
    const stop = new ContractError(`stream ${judged.stream}: ${said.reason} to a request that held events`, {
      hint: 'please report this: auditctl sent something that HEC does not see as events',
      service: judged.service,
      status: reply.status,
      requestId: reply.requestId,
    })
    return { retry: whole, ...said, stop }
  }
  if (!EVENT_REFUSED.has(hec.code)) return { ...judgeStatus(reply, sent.count, judged), ...said }

  const number = hec.eventNumber
  const bad =
    hec.code === WRONG_INDEX && typeof number === 'number'
      ? Math.max(0, number - 1)
      : (number ?? sent.count - 1)
  const counted = isPosition(bad, sent.count) && (number !== undefined || sent.count === 1)
  if (hec.code === WRONG_INDEX && (!counted || bad === 0)) {
    const stop = refusedConfig(
      reply,
      said.reason,
      judged,
      'name an index that this token may write to, in "index"',
    )
    return counted ? { retry: whole, ...said, stop } : { unknown: whole, ...said, stop }
  }
  if (!counted) return { unknown: whole, ...said, reason: `${said.reason}, without saying which event` }
  // Some servers answer a body that is too large in the same words.
  if (hec.code === 6 && bad === 0 && sent.count > 1 && sent.bytes > SURELY_SMALL_BYTES)
    return { split: whole, ...said }
  return {
    unverified: positions(0, bad),
    rejected: [{ position: bad, ...said }],
    retry: positions(bad + 1, sent.count),
    ...said,
  }
}

function isPosition(value: unknown, count: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count
}
