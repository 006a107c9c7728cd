import type { Positions, Receipt } from '../../core/destination.ts'
import type { RangeState } from '../../state/run-record.ts'

export type Outcome = { readonly state: RangeState; readonly code: string; readonly reason: string }

/** `split`: goes again in halves, or is refused when it was alone. */
export type Judged = { readonly outcome: Outcome; readonly split: boolean }

/** Neighbouring positions of a batch with the same outcome: `[from, to)`. */
export type Part = Judged & { readonly from: number; readonly to: number }

/**
 * What the receipt says of every position; one named nowhere is unknown. `canLookUp`: what the far side only says to have stored is looked
 * up; where that is not possible, its word is all there is.
 */
export function outcomesOf(receipt: Receipt, count: number, canLookUp: boolean): readonly Judged[] {
  const { code, reason } = receipt
  const judged = new Array<Judged>(count).fill({ outcome: { state: 'unknown', code, reason }, split: false })
  const put = (positions: Positions | undefined, state: RangeState, split = false): void => {
    if (positions === undefined) return
    const one = { outcome: { state, code, reason }, split }
    for (const [from, to] of positions) judged.fill(one, from, to)
  }
  put(receipt.accepted, 'delivered')
  put(receipt.unverified, canLookUp ? 'unverified' : 'delivered')
  put(receipt.retry, 'retry')
  put(receipt.split, 'retry', true)
  put(receipt.unknown, 'unknown')
  for (const { position, code: refusal, reason: why } of receipt.rejected ?? []) {
    if (position >= 0 && position < count)
      judged[position] = { outcome: { state: 'rejected', code: refusal, reason: why }, split: false }
  }
  return judged
}

/** The usual answer: yes to all of them. */
export function isAcceptedWhole(receipt: Receipt, count: number): boolean {
  const [stretch, ...more] = receipt.accepted ?? []
  const others = [receipt.unverified, receipt.rejected, receipt.retry, receipt.split, receipt.unknown]
  const isWhole = stretch?.[0] === 0 && stretch[1] === count && more.length === 0
  return isWhole && others.every((other) => other === undefined || other.length === 0)
}

export function* partsOf(judged: readonly Judged[]): Generator<Part> {
  let from = 0
  for (let to = 1; to <= judged.length; to += 1) {
    const [here, next] = [judged[from], judged[to]]
    if (here === undefined) return
    if (next !== undefined && next.split === here.split && isSame(next.outcome, here.outcome)) continue
    yield { from, to, ...here }
    from = to
  }
}

function isSame(a: Outcome, b: Outcome): boolean {
  return a === b || (a.state === b.state && a.code === b.code && a.reason === b.reason)
}
