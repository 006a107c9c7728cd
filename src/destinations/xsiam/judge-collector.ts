import type { Receipt } from '../../core/destination.ts'
import { type HttpFailure, type HttpReply, isFailure } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { wholeBatch } from '../envelope.ts'
import { type Judged, judgeFailure, judgeStatus, refusedConfig } from '../judge.ts'

/** A 500 is retried twice: a collector whose settings differ from the request answers it for ever. */
const MAX_500 = 3
/** Batches whose 500s are remembered; more than are ever in flight. */
const MAX_REMEMBERED = 64

export const FORMAT_HINT =
  'check Log Format (JSON) and Compression of the collector: Compression must be gzip with "compress": "gzip", and uncompressed without; auditctl stream test --send tries one record'
const OTHER_DOOR_HINT =
  'this collector is of the kind made for Cribl (it asks for Source-Identifier, Format, Vendor or Product headers): make a Custom HTTP Log Collector instead'

/** What a batch is known by over its attempts. */
export type Sent = { readonly firstId: () => string; readonly count: number }

/**
 * Judges answers to one stream's requests; remembers how often the same batch was answered 500. A 200 is a yes only with `{"error": "false"}`.
 * @source Cortex XSIAM documentation, "Set up an HTTP log collector to receive logs" (response codes)
 */
export function createCollectorJudge(): (
  answer: HttpReply | HttpFailure,
  sent: Sent,
  judged: Judged,
) => Receipt {
  const failed = new Map<string, number>()
  return (answer, sent, judged) => {
    if (isFailure(answer)) return judgeFailure(answer, sent.count)
    const whole = wholeBatch(sent.count)
    const code = `http-${answer.status}`
    if (answer.status === 200) {
      // Rarely any: then nobody need be told the id.
      if (failed.size > 0) failed.delete(sent.firstId())
      const error = errorOf(answer)
      if (error === 'false') return { accepted: whole, code, reason: 'accepted for processing' }
      const receipt = judgeStatus(answer, sent.count, judged)
      if (error === undefined) return receipt
      const said = redact(JSON.stringify(error).slice(0, 160))
      return {
        unknown: whole,
        code: 'xsiam-error',
        reason: `${judged.service} answered 200 with the error ${said}`,
      }
    }
    const receipt = judgeStatus(answer, sent.count, judged)
    const { reason } = receipt
    if (answer.status === 400) {
      const isOtherDoor = /header|vendor|product|identifier/i.test(answer.text())
      const stop = refusedConfig(answer, reason, judged, isOtherDoor ? OTHER_DOOR_HINT : undefined)
      return { retry: whole, code, reason, stop }
    }
    if (answer.status !== 500) return receipt
    const firstId = sent.firstId()
    const times = (failed.get(firstId) ?? 0) + 1
    const [oldest] = failed.keys()
    if (failed.size >= MAX_REMEMBERED && oldest !== undefined) failed.delete(oldest)
    failed.set(firstId, times)
    if (times < MAX_500) return receipt
    const said = `${reason}, ${times} times for the same events`
    return { ...receipt, reason: said, stop: refusedConfig(answer, said, judged, FORMAT_HINT) }
  }
}

/** Undefined when it is not the collector's own answer: a web page of something in between, a cut body. */
function errorOf(reply: HttpReply): unknown {
  try {
    const body = reply.json()
    return body === null || typeof body !== 'object'
      ? undefined
      : (body as { readonly error?: unknown }).error
  } catch {
    return undefined
  }
}
