import type { Exchange } from '../listen.ts'
import { checkDigests } from './checksums.ts'
import { S3Error, unsupportedHeader } from './errors.ts'

/**
 * The body of an upload: as it came, or taken out of `aws-chunked` framing where this server takes that, its trailing checksum compared.
 * @throws S3Error as S3 answers, or as a store that has no such framing
 * @source https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function bodyOf({ headers, body }: Exchange, takesChunks: boolean): Buffer {
  if (!isChunked(headers)) return body
  if (!takesChunks) throw unsupportedHeader('aws-chunked')
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const line = lineAt(body, at)
    const size = /^([0-9a-f]+)(?:;|$)/i.exec(line)?.[1]
    if (size === undefined) throw incomplete()
    at += line.length + 2
    const length = Number.parseInt(size, 16)
    if (length === 0) break
    if (body.toString('latin1', at + length, at + length + 2) !== '\r\n') throw incomplete()
    parts.push(body.subarray(at, at + length))
    at += length + 2
  }
  const content = Buffer.concat(parts)
  if (String(content.length) !== headers['x-amz-decoded-content-length']) throw incomplete()
  checkDigests(trailersAt(body, at), content)
  return content
}

export function isChunked(headers: Exchange['headers']): boolean {
  return headers['content-encoding']?.includes('aws-chunked') === true
}

function trailersAt(body: Buffer, from: number): Record<string, string> {
  const trailers: Record<string, string> = {}
  for (let at = from; at < body.length; ) {
    const line = lineAt(body, at)
    const [, name, value] = /^([a-z0-9-]+):\s*(.*)$/i.exec(line) ?? []
    if (name !== undefined && value !== undefined) trailers[name.toLowerCase()] = value
    at += line.length + 2
  }
  return trailers
}

function lineAt(body: Buffer, at: number): string {
  const end = body.indexOf('\r\n', at)
  return body.toString('latin1', at, end < 0 ? body.length : end)
}

function incomplete(): S3Error {
  return new S3Error(
    400,
    'IncompleteBody',
    'You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header.',
  )
}
