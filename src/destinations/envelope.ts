import type {
  AcceptWindow,
  BatchLimits,
  DeliveryBatch,
  Frame,
  Positions,
  ReplayMark,
} from '../core/destination.ts'
import type { Secret } from '../core/secret.ts'

/** Positions `from` to `to`, the end outside; empty when there are none. */
export function positions(from: number, to: number): Positions {
  return from < to ? [[from, to]] : []
}

export function wholeBatch(count: number): Positions {
  return positions(0, count)
}

/**
 * The provider's own limits with the stream's `batch` settings in their place. An event larger than the provider's usual batch goes alone; what
 * the stream itself sets is never exceeded.
 */
export function limitsOf(
  provider: BatchLimits,
  configured: { readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined,
): BatchLimits {
  return {
    maxEvents: configured?.maxEvents ?? provider.maxEvents,
    maxBytes: configured?.maxBytes ?? provider.maxBytes,
    maxEventBytes: provider.maxEventBytes,
    ...(configured?.maxBytes === undefined && provider.maxEventBytes > provider.maxBytes
      ? { maxAloneBytes: provider.maxEventBytes }
      : {}),
  }
}

/** The provider's own accept window with the stream's `acceptWindow` in its place. */
export function acceptsOf(
  provider: AcceptWindow,
  configured: { readonly past?: number | undefined; readonly future?: number | undefined } | undefined,
): AcceptWindow {
  const pastMs = configured?.past ?? provider.pastMs
  const futureMs = configured?.future ?? provider.futureMs
  return { ...(pastMs === undefined ? {} : { pastMs }), ...(futureMs === undefined ? {} : { futureMs }) }
}

/** Lower-case names; what the stream configures goes over what the provider needs. */
export async function assembleHeaders(
  own: Readonly<Record<string, string>>,
  configured: Readonly<Record<string, Secret>> | undefined,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) headers[name.toLowerCase()] = value
  for (const [name, value] of Object.entries(configured ?? {})) {
    headers[name.toLowerCase()] = await value.reveal()
  }
  return headers
}

/** The body of a request: encoded events between the frame's ends, copied once. */
export function frameBody(encoded: readonly Uint8Array[], frame: Frame): Uint8Array {
  const extra = frame.open.length + frame.close.length + frame.separator.length * (encoded.length - 1)
  const body = Buffer.allocUnsafe(encoded.reduce((sum, bytes) => sum + bytes.length, extra))
  let at = body.write(frame.open, 0, 'latin1')
  for (let i = 0; i < encoded.length; i += 1) {
    if (i > 0) at += body.write(frame.separator, at, 'latin1')
    const bytes = encoded[i]
    if (bytes === undefined) continue
    body.set(bytes, at)
    at += bytes.length
  }
  body.write(frame.close, at, 'latin1')
  return body
}

/**
 * The event's JSON object with `"auditctl":{"run":…,"backfilledAt":…}` as its last member; every other byte as it was.
 * @throws TypeError when the bytes do not end like an object
 */
export function withMark(streamed: Uint8Array, mark: ReplayMark | undefined): Uint8Array {
  if (mark === undefined) return streamed
  return withMember(
    streamed,
    `"auditctl":${JSON.stringify({ run: mark.run, backfilledAt: mark.backfilledAt })}`,
  )
}

/** The JSON object with `member` (its own JSON text) put last. @throws TypeError when the bytes do not end like an object */
export function withMember(object: Uint8Array, member: string): Uint8Array {
  const { close, last } = closingBrace(object)
  const comma = object[last] === OPEN ? '' : ','
  const added = Buffer.from(`${comma}${member}}`)
  const marked = Buffer.allocUnsafe(close + added.length)
  marked.set(object.subarray(0, close), 0)
  marked.set(added, close)
  return marked
}

/** Where a JSON object closes, and the last byte before that which is no white space. @throws TypeError when the bytes do not end like an object */
export function closingBrace(object: Uint8Array): { readonly close: number; readonly last: number } {
  const close = lastSolid(object, object.length)
  if (close < 1 || object[close] !== CLOSE)
    throw new TypeError('an event in its streamed shape is a JSON object')
  return { close, last: lastSolid(object, close) }
}

/** The whole body of a request, made where the sender has not got it in one piece. */
export function bodyOf(batch: Pick<DeliveryBatch, 'encoded' | 'body'>, frame: Frame): Uint8Array {
  return batch.body ?? frameBody(batch.encoded, frame)
}

export function countOf(batch: Pick<DeliveryBatch, 'encoded' | 'count'>): number {
  return batch.count ?? batch.encoded.length
}

const OPEN = 0x7b
const CLOSE = 0x7d

/** Index of the last byte before `end` that is not white space. */
function lastSolid(bytes: Uint8Array, end: number): number {
  let at = end - 1
  while (at >= 0 && (bytes[at] ?? 0) <= 0x20) at -= 1
  return at
}
