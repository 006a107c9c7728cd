import type { Destination } from '../../core/destination.ts'
import type { AuditEvent } from '../../core/event.ts'
import { memberSpans } from '../../core/json-members.ts'
import { isoTime } from '../../core/time-range.ts'
import { joinMembers, markMember, memberEncoder } from '../member-encoder.ts'
import type { AzureOptions } from './options.ts'

/** A field beyond this is cut without a word. @source azure-monitor-docs, logs/includes/azure-monitor-limits-custom-logs.md */
const MAX_FIELD_BYTES = 65_536

/**
 * The event as the live stream sends it, with `TimeGenerated` last; before it the declared time and id columns, where the event itself
 * has no member of that name.
 */
export function azureEncoder(options: AzureOptions): Required<Pick<Destination, 'encode' | 'encodeInto'>> {
  const { timeColumn, idField } = options
  const isAuxiliary = options.tablePlan === 'auxiliary'
  return memberEncoder((streamed, event, { restamp, mark }) => {
    let members = markMember(mark)
    const time = `"${timeText(event, isAuxiliary)}"`
    if (timeColumn !== undefined || idField !== undefined) {
      const own = keysOf(streamed)
      if (timeColumn !== undefined && !own.has(timeColumn))
        members = joinMembers(members, `"${timeColumn}":${time}`)
      if (idField !== undefined && idField !== timeColumn && !own.has(idField))
        members = joinMembers(members, `"${idField}":${JSON.stringify(event.id)}`)
    }
    // Without it Azure dates a row by its receipt.
    if (!restamp && options.eventTime !== false) members = joinMembers(members, `"TimeGenerated":${time}`)
    return { object: streamed, members }
  })
}

/** Azure counts in ticks of 100 ns; an Auxiliary table wants six decimals. */
function timeText(event: AuditEvent, isAuxiliary: boolean): string {
  const [, seconds, digits = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(event.occurredAt) ?? []
  if (isAuxiliary) {
    return seconds === undefined
      ? isoTime(event.occurredAtMs).replace('Z', '000Z')
      : `${seconds}.${digits.slice(0, 6).padEnd(6, '0')}Z`
  }
  if (seconds === undefined || digits === '') return isoTime(event.occurredAtMs)
  return digits.length <= 7 ? event.occurredAt : `${seconds}.${digits.slice(0, 7)}Z`
}

/** Names of an event's members, as they are spelled. */
export function keysOf(streamed: Uint8Array): ReadonlySet<string> {
  const keys = new Set<string>()
  const text = Buffer.from(streamed.buffer, streamed.byteOffset, streamed.length)
  memberSpans(streamed, 0, streamed.length, (from, to) => {
    keys.add(text.toString('utf8', from, to))
  })
  return keys
}

/** The first field that Azure would cut, in bytes of UTF-8; undefined when the event arrives whole. */
export function fieldTooLong(
  encoded: Uint8Array,
): { readonly name: string; readonly bytes: number } | undefined {
  if (encoded.length <= MAX_FIELD_BYTES) return undefined
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length)
  let found: { readonly name: string; readonly bytes: number } | undefined
  memberSpans(encoded, 0, encoded.length, (keyFrom, keyTo, from, to) => {
    if (found !== undefined || to - from <= MAX_FIELD_BYTES) return
    const isString = encoded[from] === QUOTE
    const bytes = isString
      ? Buffer.byteLength(JSON.parse(text.toString('utf8', from, to)) as string)
      : to - from
    if (bytes > MAX_FIELD_BYTES) found = { name: text.toString('utf8', keyFrom, keyTo), bytes }
  })
  return found
}

const QUOTE = 0x22
