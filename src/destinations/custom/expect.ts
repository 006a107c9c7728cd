import type { Receipt } from '../../core/destination.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { wholeBatch } from '../envelope.ts'
import type { CustomOptions } from './options.ts'

/**
 * A yes that the body must confirm: many receivers answer 2xx and name what they refused inside. A body that does not say what is expected leaves
 * the batch unknown, since some of it may have been stored.
 */
export function confirmed(
  receipt: Receipt,
  reply: HttpReply,
  count: number,
  expect: CustomOptions['expect'],
): Receipt {
  if (expect === undefined || receipt.accepted === undefined) return receipt
  const wanted = 'equals' in expect && expect.equals !== undefined ? expect.equals : count
  let found: unknown
  try {
    found = atPointer(reply.json(), expect.pointer)
  } catch {
    found = undefined
  }
  if (found === wanted) return receipt
  const shown = found === undefined ? 'nothing' : redact(JSON.stringify(found).slice(0, 80))
  return {
    unknown: wholeBatch(count),
    code: 'unexpected-answer',
    reason: `answered ${reply.status}, but at ${JSON.stringify(expect.pointer)} stands ${shown} instead of ${JSON.stringify(wanted)}`,
  }
}

/** The value at a JSON pointer; undefined where nothing stands. @source RFC 6901 */
export function atPointer(value: unknown, pointer: string): unknown {
  let found = value
  for (const part of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}
