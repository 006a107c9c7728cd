import type { Frame } from '../core/destination.ts'

/** The body of a request: the events between the frame's parts, in one buffer of exactly the size that `batch` counted. */
export function frameBody(frame: Frame, encoded: readonly Uint8Array[]): Uint8Array {
  const separators = Math.max(0, encoded.length - 1) * frame.separator.length
  let size = frame.open.length + frame.close.length + separators
  for (const event of encoded) size += event.length
  const body = Buffer.allocUnsafeSlow(size)
  let at = body.write(frame.open, 0, 'latin1')
  for (const [n, event] of encoded.entries()) {
    if (n > 0) at += body.write(frame.separator, at, 'latin1')
    body.set(event, at)
    at += event.length
  }
  body.write(frame.close, at, 'latin1')
  return body
}
