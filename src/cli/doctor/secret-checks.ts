import type { Check } from '../../core/check.ts'
import { AuditctlError, InterruptedError } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { failureOf } from './examine.ts'

type Found = { readonly path: string; readonly secret: Secret }

/** Resolves every secret of an entry's settings; says where each comes from and never what it is. */
export async function secretChecks(options: unknown): Promise<readonly Check[]> {
  const found = secretsIn(options, [])
  const checks: Check[] = []
  const resolved: string[] = []
  for (const { path, secret } of found) {
    try {
      await secret.reveal()
      resolved.push(`${path} (${whence(secret)})`)
    } catch (error) {
      if (!(error instanceof AuditctlError) || error instanceof InterruptedError) throw error
      checks.push({ ...failureOf(`secret ${path}`, error) })
    }
  }
  if (resolved.length > 0) {
    checks.unshift({ check: 'secrets', state: 'ok', message: `resolved: ${resolved.join(', ')}` })
  }
  return checks
}

/** A command line may hold what should not be shown. */
function whence({ origin }: Secret): string {
  return origin.startsWith('cmd:') ? 'cmd:…' : origin
}

function secretsIn(value: unknown, path: readonly string[]): Found[] {
  if (value instanceof Secret) return [{ path: path.join('.'), secret: value }]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, [...path, key]))
}
