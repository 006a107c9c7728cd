import type { Check } from '../../core/check.ts'
import { AuditctlError, InterruptedError } from '../../core/errors.ts'
import { redact } from '../../core/secret.ts'

/** Checks of one thing, each under its name; an error of ours that ended them becomes one failure. @throws whatever is a bug, or a signal's reason */
export async function examine(
  subject: string,
  look: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return (await look()).map((check) => ({ ...check, check: `${subject}: ${check.check}` }))
  } catch (error) {
    if (!(error instanceof AuditctlError) || error instanceof InterruptedError) throw error
    return [failureOf(subject, error)]
  }
}

export function failureOf(check: string, error: AuditctlError): Check {
  const failure = { check, state: 'failure', message: redact(error.message) } as const
  return error.hint === undefined ? failure : { ...failure, hint: redact(error.hint) }
}
