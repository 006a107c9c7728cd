import { createHash, type Hash } from 'node:crypto'
import { UserError } from '../../core/errors.ts'
import { instantOfText } from '../../core/instant.ts'
import type { TimeRange } from '../../core/time-range.ts'

/** What the first line of an inventory file may declare: `# auditctl-inventory v1 from=… to=… count=N sha256=…`. */
export type InventoryHeader = {
  readonly window: TimeRange | undefined
  /** How many ids follow, repeats included. */
  readonly count: number | undefined
  /** Of all bytes after the header line, unpacked, in hexadecimal. */
  readonly sha256: string | undefined
}

export type Headed = {
  readonly header: InventoryHeader | undefined
  /** What follows the header line. */
  readonly rest: AsyncGenerator<Uint8Array>
  /** The digest of what was read of `rest`, in hexadecimal; undefined when the header declares none. */
  digest(): string | undefined
}

const MARK = '# auditctl-inventory'
const MAX_HEADER_BYTES = 4096
const NEWLINE = 0x0a

/** Takes the header line, where there is one, off a text. @throws UserError for a header that cannot be understood */
export async function takeHeader(text: AsyncGenerator<Uint8Array>, name: string): Promise<Headed> {
  let head = Buffer.alloc(0)
  let isOver = false
  while (!isOver && mayBeHeader(head) && !head.includes(NEWLINE) && head.length < MAX_HEADER_BYTES) {
    const next = await text.next()
    if (next.done === true) isOver = true
    else head = Buffer.concat([head, next.value])
  }
  const end = head.indexOf(NEWLINE)
  const line = head.toString('utf8', 0, end < 0 ? head.length : end).trim()
  const header = line.startsWith(MARK) ? parseHeader(line, name) : undefined
  const hash = header?.sha256 === undefined ? undefined : createHash('sha256')
  const first = header === undefined ? head : head.subarray(end < 0 ? head.length : end + 1)
  return {
    header,
    rest: joined(first, text, hash),
    digest: () => hash?.copy().digest('hex'),
  }
}

async function* joined(
  first: Uint8Array,
  text: AsyncGenerator<Uint8Array>,
  hash: Hash | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) {
      hash?.update(first)
      yield first
    }
    for await (const block of text) {
      hash?.update(block)
      yield block
    }
  } finally {
    await text.return(undefined)
  }
}

function mayBeHeader(head: Buffer): boolean {
  return head.toString('latin1', 0, MARK.length) === MARK.slice(0, head.length)
}

/** @throws UserError */
function parseHeader(line: string, name: string): InventoryHeader {
  const version = /^# auditctl-inventory (v\S+)/.exec(line)?.[1]
  if (version !== 'v1') {
    throw refused(name, `its header is of version ${version ?? 'none'}, and only v1 is known`)
  }
  const value = (key: string) => new RegExp(`\\s${key}=(\\S+)`).exec(line)?.[1]
  const [from, to, count, sha256] = [value('from'), value('to'), value('count'), value('sha256')]
  if ((from === undefined) !== (to === undefined))
    throw refused(name, 'its header names only one end of its window')
  if (count !== undefined && !/^\d+$/.test(count))
    throw refused(name, `count=${count} in its header is not a number`)
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw refused(name, `sha256=${sha256} in its header is not 64 hexadecimal digits`)
  }
  return {
    window: from === undefined || to === undefined ? undefined : rangeOf(from, to, name),
    count: count === undefined ? undefined : Number(count),
    sha256: sha256?.toLowerCase(),
  }
}

function rangeOf(from: string, to: string, name: string): TimeRange {
  try {
    const range = { from: instantOfText(from), to: instantOfText(to) }
    if (range.from < range.to) return range
  } catch (cause) {
    throw refused(name, `from=${from} to=${to} in its header are not times`, cause)
  }
  throw refused(name, `from=${from} in its header is not before to=${to}`)
}

function refused(name: string, reason: string, cause?: unknown): UserError {
  return new UserError(`${name}: ${reason}`, {
    cause,
    hint: 'write it like "# auditctl-inventory v1 from=2026-11-20T00:00:00Z to=2026-11-21T00:00:00Z count=12"',
    code: 'inventory-header',
  })
}
