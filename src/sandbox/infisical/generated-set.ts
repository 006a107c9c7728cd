import { type EventSet, eventAt, type NativeEvent, type Test } from './event-set.ts'
import { mix } from './hash.ts'
import { isoWriter } from './iso-bytes.ts'
import type { SetOptions } from './recorded-set.ts'
import { layOuts } from './templates.ts'

export type GeneratedOptions = SetOptions & {
  readonly size: number
  readonly fromUs: number
  /** Exclusive. */
  readonly toUs: number
}

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** How much busier the busiest hour is than the mean, as a share of it. */
const SWING = 0.6

/**
 * Any number of events without keeping one: each is a template chosen, dated and numbered by its position and the seed.
 * Rates rise and fall over a day; times have jitter below the distance to the next.
 */
export function generatedSet(options: GeneratedOptions): EventSet {
  const { seed, size, fromUs } = options
  const span = options.toUs - fromUs
  const waves = Math.max(1, Math.round(span / 86_400_000_000))
  const salt = mix(seed)
  const templates = layOuts(options)
  const records = templates.map((template) => JSON.parse(template.bytes.toString('utf8')) as NativeEvent)
  const writeTime = isoWriter()
  const writeExpiry = isoWriter()
  const expiryUs = 30 * 86_400_000_000

  const warp = (index: number): number => {
    const share = index / size
    const phase = 2 * Math.PI * waves
    return fromUs + Math.floor(span * (share - (SWING / phase) * Math.sin(phase * share)))
  }
  const templateOf = (index: number): number => mix(index ^ salt) % templates.length
  const set: EventSet = {
    size,
    maxBytes: templates.reduce((most, template) => Math.max(most, template.bytes.length), 0),
    timeUs(index) {
      const start = warp(index)
      const room = warp(index + 1) - start
      return start + Math.floor((mix(index + salt) / 0x1_0000_0000) * room)
    },
    write(index, timeUs, target, at) {
      const template = templates[templateOf(index)]
      if (template === undefined) throw new RangeError(`no event ${index}`)
      target.set(template.bytes, at)
      writeId(target, at + template.id, mix(index ^ seed), mix(index + salt + 1), mix(index + salt + 2))
      for (const secret of template.secretIds) {
        writeId(target, at + secret, mix((index >> 3) + salt + secret), index >> 3, salt)
      }
      for (const number of template.numbers) writeDecimal(target, at + number, index)
      if (template.expiresAt >= 0) writeExpiry(timeUs + expiryUs, target, at + template.expiresAt)
      writeTime(timeUs, target, at + template.createdAt)
      writeTime(timeUs, target, at + template.updatedAt)
      return at + template.bytes.length
    },
    matcher(test: Test, variable: boolean) {
      if (variable) return (index) => test(eventAt(set, index))
      const judged = Uint8Array.from(records, (record) => (test(record) ? 1 : 0))
      return (index) => judged[templateOf(index)] === 1
    },
  }
  return set
}

/** A version 4 UUID. The first word alone tells two positions apart, since `mix` never gives one value twice. */
function writeId(target: Buffer, at: number, first: number, second: number, third: number): void {
  writeHex(target, at, first, 8)
  writeHex(target, at + 9, second >>> 16, 4)
  // 14: the version digit, 19: the variant, both part of the template.
  writeHex(target, at + 15, second & 0xfff, 3)
  writeHex(target, at + 20, third & 0xfff, 3)
  writeHex(target, at + 24, third >>> 12, 5)
  writeHex(target, at + 29, Math.imul(third, 31) ^ second, 7)
}

function writeHex(target: Buffer, at: number, value: number, digits: number): void {
  let rest = value
  for (let i = at + digits - 1; i >= at; i -= 1) {
    target[i] = HEX[rest & 15] ?? 48
    rest >>>= 4
  }
}

function writeDecimal(target: Buffer, at: number, value: number): void {
  let rest = value
  for (let i = at + 7; i >= at; i -= 1) {
    target[i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
