import { UserError } from '../../core/errors.ts'
import type { SandboxOptions } from '../service.ts'

export const SERVICE = 'infrakitchen'

/** What a release of the product can do, as far as its audit log goes. */
export type Release = {
  readonly version: string
  readonly hasRest: boolean
  /** `empty`: the endpoint is there, without a field of the audit log. */
  readonly graphql: 'none' | 'empty' | 'full'
  /** What follows a timestamp. */
  readonly zone: '' | 'Z' | '+00:00'
  /** The column of a log line that holds the audit entry's id. */
  readonly logKey: 'trace_id' | 'audit_log_id'
  readonly hasRevision: boolean
  readonly operators: readonly string[]
  readonly hasRelations: boolean
  readonly hasPersonalTokens: boolean
}

const VERSIONS: readonly string[] = ['0.1.0', '0.1.1', '0.2.0', '0.3.0', '0.3.1', '0.3.2', '0.4.0', '0.5.0']

/** The release that the standing fault `version` names; without it the last of the asked generation. */
export function releaseOf({ generation, faults }: Pick<SandboxOptions, 'generation' | 'faults'>): Release {
  const fault = faults.list().find(({ service, kind }) => service === SERVICE && kind === 'version')
  const version = fault?.value ?? (generation === '2025' ? '0.3.1' : '0.5.0')
  const rank = VERSIONS.indexOf(version)
  if (rank < 0)
    throw new UserError(`${SERVICE} has no release ${version}`, { hint: `it has ${VERSIONS.join(', ')}` })
  const since = (first: string): boolean => rank >= VERSIONS.indexOf(first)
  return {
    version,
    hasRest: !since('0.4.0'),
    graphql: since('0.4.0') ? 'full' : since('0.3.2') ? 'empty' : 'none',
    zone: since('0.4.0') ? '+00:00' : since('0.3.2') ? 'Z' : '',
    logKey: since('0.3.2') ? 'audit_log_id' : 'trace_id',
    hasRevision: since('0.3.2'),
    operators: [
      'eq',
      'like',
      ...(since('0.1.1') ? ['in'] : []),
      ...(since('0.4.0') ? ['not_like'] : []),
      ...(since('0.5.0') ? ['is_none'] : []),
    ],
    hasRelations: since('0.1.1'),
    hasPersonalTokens: since('0.5.0'),
  }
}
