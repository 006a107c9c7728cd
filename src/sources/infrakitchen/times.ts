import { instantOfText } from '../../core/instant.ts'
import { type EpochMs, isoTime, SECOND_MS } from '../../core/time-range.ts'
import { instantAt } from '../../core/zone.ts'

export type Moment = { readonly occurredAt: string; readonly occurredAtMs: EpochMs }

const ZONED = /(?:[Zz]|[+-]\d\d:?\d\d)$/
const NAIVE = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/

/**
 * Reads the server's times. Those of releases up to 0.3.1 carry no zone: they stand in the time zone of the database session, which is UTC
 * unless an administrator changed it. Written out in UTC with every fraction digit; zoned ones stay as they came.
 */
export class Times {
  readonly #zone: string | undefined
  /** Of the last ten minutes looked up: a zone's offset never changes inside them. */
  #key = ''
  #offsetMs = 0

  constructor(zone?: string) {
    this.#zone = zone === undefined || /^(?:Etc\/)?(?:UTC|GMT|Z)$/i.test(zone) ? undefined : zone
  }

  /** @throws RangeError for what is not a time */
  read(text: string): Moment {
    if (ZONED.test(text)) return { occurredAt: text, occurredAtMs: instantOfText(text) }
    const wallMs = instantOfText(text)
    const ms = wallMs - (this.#zone === undefined ? 0 : this.#offset(text, wallMs, this.#zone))
    const fraction = /\.(\d+)$/.exec(text)?.[1]
    const seconds = isoTime(Math.floor(ms / SECOND_MS) * SECOND_MS).slice(0, 19)
    return { occurredAt: `${seconds}${fraction === undefined ? '' : `.${fraction}`}Z`, occurredAtMs: ms }
  }

  #offset(text: string, wallMs: EpochMs, zone: string): number {
    const key = text.slice(0, 15)
    if (key !== this.#key) {
      const [, year, month, day, hour, minute, second] = NAIVE.exec(text) ?? []
      const time = {
        year: Number(year),
        month: Number(month),
        day: Number(day),
        hour: Number(hour),
        minute: Number(minute),
        second: Number(second),
      }
      this.#offsetMs = Math.floor(wallMs / SECOND_MS) * SECOND_MS - instantAt(time, zone)
      this.#key = key
    }
    return this.#offsetMs
  }
}

/** Whether the ASCII text `[start, end)` ends with a zone. */
export function isZoned(bytes: Uint8Array, start: number, end: number): boolean {
  const last = bytes[end - 1]
  if (last === 0x5a || last === 0x7a) return true
  const sign = end - start > 6 ? bytes[end - 6] : undefined
  return sign === 0x2b || sign === 0x2d
}
