import { ContractError } from '../core/errors.ts'
import type { HttpReply } from '../core/http.ts'
import { redact } from '../core/secret.ts'
import { httpDate } from './retry-delay.ts'

const REQUEST_ID_HEADERS = [
  'x-request-id',
  'request-id',
  'x-ms-request-id',
  'x-amzn-requestid',
  'x-amz-request-id',
  'x-correlation-id',
  'x-guploader-uploadid',
  'cf-ray',
] as const

/** An answer that was read whole and decompressed. What few callers ask for is worked out when they do. */
export function httpReply(parts: {
  readonly service: string
  readonly operation: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  readonly attempts: number
  readonly receivedAtMs: number
}): HttpReply {
  const { service, operation, status, headers, bytes, attempts } = parts
  return {
    status,
    headers,
    bytes,
    attempts,
    get requestId() {
      return requestIdOf(headers)
    },
    get clockSkewMs() {
      const date = httpDate(headers['date'] ?? '')
      return date === undefined ? undefined : date - parts.receivedAtMs
    },
    text: () => textOf(bytes),
    json() {
      const text = textOf(bytes)
      try {
        return JSON.parse(text)
      } catch (cause) {
        throw new ContractError(
          `Could not ${operation}: ${service} sent ${whatItIs(text)} instead of JSON (${status})`,
          {
            cause,
            code: 'not-json',
            service,
            operation,
            status,
            requestId: requestIdOf(headers),
            attempts,
            hint: text.trimStart().startsWith('<')
              ? 'a proxy, a login page or a wrong URL answers in its place; check the URL and run auditctl doctor'
              : 'try again; if it stays so, report it with the request id',
          },
        )
      }
    },
  }
}

export function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers[name]
    if (value !== undefined && value !== '') return printable(value).slice(0, 120)
  }
  return undefined
}

/** The far side's own words in one printable line for a message, without secrets; empty when there is nothing to show. */
export function excerptOf(reply: Pick<HttpReply, 'text'>): string {
  const text = reply.text().slice(0, 4000)
  const title = /<title[^>]*>([^<]*)</i.exec(text)?.[1]
  const line = title ?? (text.trimStart().startsWith('<') ? 'an HTML or XML page' : text)
  const clean = redact(printable(line).replace(/\s+/g, ' ').trim())
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean
}

function whatItIs(text: string): string {
  const start = text.trimStart()
  if (start === '') return 'nothing'
  if (/^<(?:!doctype html|html|head|body)/i.test(start)) return 'an HTML page'
  if (start.startsWith('<')) return 'XML or HTML'
  if (/^[[{]/.test(start)) return 'JSON that is cut off or broken'
  return `${JSON.stringify(redact(printable(start)).slice(0, 60))}`
}

function textOf(bytes: Buffer): string {
  const hasMark = bytes.length > 2 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return bytes.toString('utf8', hasMark ? 3 : 0)
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ')
}
