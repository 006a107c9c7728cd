import type { Receipt } from '../../core/destination.ts'
import { type HttpFailure, type HttpReply, isFailure } from '../../core/http.ts'
import { wholeBatch } from '../envelope.ts'
import { type Judged, judgeFailure, judgeStatus, quotaSpent, refusedConfig } from '../judge.ts'

/** So many single events in a row, and none accepted between them, are no accident of one event. */
const MAX_REFUSED_ALONE = 3

/**
 * Judges answers to one stream's requests; remembers only how many single events in a row were refused as unreadable. Nothing but 202 is a yes.
 * @source betterstack.com/docs/logs/ingesting-data/http/logs (responses)
 */
export function createIngestJudge(): (
  answer: HttpReply | HttpFailure,
  count: number,
  judged: Judged,
) => Receipt {
  let refusedAlone = 0
  return (answer, count, judged) => {
    if (isFailure(answer)) return judgeFailure(answer, count)
    const whole = wholeBatch(count)
    if (answer.status === 202) {
      refusedAlone = 0
      return { accepted: whole, code: 'http-202', reason: 'accepted' }
    }
    const receipt = judgeStatus(answer, count, judged)
    const { code, reason } = receipt
    switch (answer.status) {
      case 402: {
        const hint = 'raise the plan or the spending limit, or wait for the next period; retrying cannot help'
        return { retry: whole, code, reason, stop: quotaSpent(answer, reason, judged, hint) }
      }
      case 406: {
        if (count > 1) return { split: whole, code, reason }
        refusedAlone += 1
        if (refusedAlone < MAX_REFUSED_ALONE)
          return { rejected: [{ position: 0, code, reason }], code, reason }
        const hint =
          'something on the way changes the body, or this is a bug of auditctl: run auditctl stream test --send'
        const said = `${reason}, for ${refusedAlone} single events in a row`
        return { retry: whole, code, reason: said, stop: refusedConfig(answer, said, judged, hint) }
      }
      default:
        return receipt
    }
  }
}
