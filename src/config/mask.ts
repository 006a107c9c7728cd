import type * as z from 'zod'
import { redact } from '../core/secret.ts'
import { isSecretAt, schemasAt } from './schema-walk.ts'

/**
 * The value with each credential shown as `***`. Texts at keys that the schema does not know are hidden too: a secret may stand under a
 * misspelled name. Without a schema only the keys named in `plain` are shown.
 */
export function maskSecrets(
  value: unknown,
  schema: z.ZodType | undefined,
  plain: readonly string[],
  path: readonly string[] = [],
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => maskSecrets(item, schema, plain, [...path, String(i)]))
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, maskSecrets(inner, schema, plain, [...path, key])]),
    )
  }
  if (typeof value !== 'string') return value
  if (path.length === 1 && plain.includes(path[0] ?? '')) return value
  const known = schema !== undefined && schemasAt(schema, path).length > 0
  return known && !isSecretAt(schema, path) ? redact(value) : '***'
}

/** The leaves of a value with their dotted keys; a list is a leaf. */
export function leavesOf(
  value: unknown,
  path: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly value: unknown }[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}
