import { AuditctlError, EXIT, type ExitCode } from '../core/errors.ts'
import { escapeText } from '../core/escape-text.ts'
import { redact } from '../core/secret.ts'
import { outputFlag } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import { usageOf } from './usage-error.ts'

/** What the user is told about an error, and the exit code; the one place where errors become words. */
export type ErrorReport = { readonly text: string; readonly exitCode: ExitCode }

export function reportError(
  error: unknown,
  options: {
    readonly json: boolean
    readonly stack: boolean
    readonly version: string
    /** What was typed, for the hint of a usage error. */
    readonly argv?: readonly string[]
  },
): ErrorReport {
  const known = error instanceof AuditctlError ? error : undefined
  const usage = known === undefined ? usageOf(error, options.argv ?? []) : undefined
  const exitCode: ExitCode = known?.exitCode ?? (usage === undefined ? EXIT.bug : EXIT.usage)
  const message =
    known?.message ??
    usage?.message ??
    `unforeseen failure: ${error instanceof Error ? error.message : String(error)}`
  const hint =
    known?.hint ??
    usage?.hint ??
    (exitCode === EXIT.bug
      ? `this is a bug: run it again with -vv and report what it prints, with auditctl ${options.version}, Node ${process.version}, ${process.platform}`
      : undefined)
  if (options.json) {
    const body = {
      error: {
        code: known?.code ?? (usage === undefined ? 'bug' : 'usage'),
        message: redact(message),
        hint: hint === undefined ? null : redact(hint),
        exitCode,
      },
    }
    return { text: `${JSON.stringify(body)}\n`, exitCode }
  }
  const lines = [`auditctl: ${redact(escapeText(message))}`]
  if (hint !== undefined) lines.push(`hint: ${redact(escapeText(hint))}`)
  if (options.stack) lines.push(redact(stackOf(error)))
  return { text: `${lines.join('\n')}\n`, exitCode }
}

/** Stable words for scripts, where no error of its own names the reason. */
const CODES: Partial<Record<ExitCode, string>> = {
  [EXIT.answerIsNo]: 'still-missing',
  [EXIT.notDelivered]: 'not-delivered',
  [EXIT.unresolved]: 'unresolved',
}

/** A run that ended in its report still says on stderr, as one error, why its exit code is not 0. `failure`: what ended it early; `code`: a stable word of its own. */
export function problemsText(
  problems: readonly string[],
  exitCode: ExitCode,
  invocation: Invocation,
  failure?: unknown,
  code?: string,
): string {
  const message = redact(problems.join('; '))
  const known = failure instanceof AuditctlError ? failure : undefined
  const hint = known?.hint === undefined ? null : redact(known.hint)
  const asJson = textOption(invocation, 'logFormat') === 'json' || outputFlag(invocation) === 'json'
  if (asJson) {
    const word = code ?? known?.code ?? (failure === undefined ? (CODES[exitCode] ?? 'failed') : 'bug')
    return `${JSON.stringify({ error: { code: word, message, hint, exitCode } })}\n`
  }
  return `auditctl: ${escapeText(message)}\n${hint === null ? '' : `hint: ${escapeText(hint)}\n`}`
}

function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let next = error; next instanceof Error; next = next.cause) lines.push(next.stack ?? next.message)
  return lines.join('\ncaused by: ')
}
