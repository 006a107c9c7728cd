import { instantOfText } from '../core/instant.ts'
import type { EpochMs } from '../core/time-range.ts'
import { idAt, timeKeyOf } from './id-field.ts'

export type HeldRow = { readonly id: string; readonly atMs: EpochMs }

/**
 * The id of a row and its own time (NaN where it tells none). A row is an object, or the id itself. `ping` for what the product's stream sends to try
 * an address, which is no event; undefined for a row without an id, which may not be passed over: an id looked for in the wrong place would make
 * everything look missing.
 */
export function heldRow(row: unknown, path: readonly string[]): HeldRow | 'ping' | undefined {
  if (typeof row === 'string' && row !== '') return { id: row.trim(), atMs: Number.NaN }
  if (typeof row === 'number' && Number.isSafeInteger(row)) return { id: String(row), atMs: Number.NaN }
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return undefined
  const id = idAt(row, path)
  if (id === undefined || id === '') return 'ping' in row ? 'ping' : undefined
  const key = timeKeyOf(Object.keys(row))
  return { id, atMs: key === undefined ? Number.NaN : timeOf((row as Record<string, unknown>)[key]) }
}

function timeOf(value: unknown): EpochMs {
  if (typeof value !== 'string') return Number.NaN
  try {
    return instantOfText(value)
  } catch {
    return Number.NaN
  }
}
