import type { Dispatcher } from 'undici'
import { BodyTooLargeError, decompressStream } from './decompress.ts'
import { joined, type WireFailure, type WireReply, type WireRequest } from './exchange.ts'

export type WireStream = {
  readonly kind: 'stream'
  readonly status: number
  readonly headers: Record<string, string>
  /** Decompressed. Ending the iteration early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Sends one request and hands a 2xx over as it arrives; any other answer is read whole. `timeoutMs` bounds each silence, not the whole. */
export async function openStream(
  dispatcher: Dispatcher,
  request: WireRequest,
): Promise<WireStream | WireReply | WireFailure> {
  try {
    const { statusCode, headers, body } = await dispatcher.request({
      origin: request.origin,
      path: request.path,
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal: request.signal,
      headersTimeout: request.timeoutMs,
      bodyTimeout: request.timeoutMs,
    })
    // A failure before anyone reads must not end the process; whoever reads meets it.
    body.on('error', () => {})
    const lower = joined(headers)
    if (statusCode >= 200 && statusCode < 300) {
      const plain = decompressStream(body, lower['content-encoding'])
      return { kind: 'stream', status: statusCode, headers: lower, body: bounded(plain, request.maxBytes) }
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of bounded(body, request.maxBytes)) chunks.push(chunk)
    return { kind: 'reply', status: statusCode, headers: lower, body: Buffer.concat(chunks) }
  } catch (cause) {
    return { kind: 'wire-failure', cause, hasStarted: true }
  }
}

/** The same chunks. @throws BodyTooLargeError once they exceed `maxBytes` together */
async function* bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes)
    yield chunk
  }
}
