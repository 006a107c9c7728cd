import type { Check } from '../core/check.ts'
import { AuthError, EXIT, type ExitCode, RemoteError } from '../core/errors.ts'
import { escapeText } from '../core/escape-text.ts'
import { redact } from '../core/secret.ts'
import type { Invocation } from './invocation.ts'
import { printRows, rowFormat } from './print-rows.ts'
import type { Runtime } from './runtime.ts'

/** Checks, and whether the far side refused the credentials. */
export type CheckResult = { readonly checks: readonly Check[]; readonly isRefused: boolean }

/** What a test found; what the far side did to end it early becomes a failure. Configuration errors and interrupts are thrown on. */
export async function collectChecks(
  name: string,
  test: () => Promise<readonly Check[]>,
): Promise<CheckResult> {
  try {
    const checks = await test()
    return { checks, isRefused: checks.some(isRefusal) }
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error
    const failure = { check: name, state: 'failure', message: redact(error.message) } as const
    return {
      checks: [error.hint === undefined ? failure : { ...failure, hint: redact(error.hint) }],
      isRefused: error instanceof AuthError,
    }
  }
}

/** A line a check on a terminal, the array otherwise; 0, 3 when one failed, 5 when it was the credentials. */
export async function printChecks(
  result: CheckResult,
  invocation: Invocation,
  runtime: Pick<Runtime, 'io' | 'output'>,
): Promise<ExitCode> {
  const { checks, isRefused } = result
  const format = rowFormat(invocation, runtime)
  const plain = checks.map(({ check, state, message, hint }) => ({
    check,
    state,
    message: redact(message),
    hint: hint === undefined ? null : redact(hint),
  }))
  if (format === 'json') await runtime.output.write(`${JSON.stringify(plain)}\n`)
  else if (format === 'jsonl') await printRows(plain, [], format, runtime)
  else {
    const width = Math.max(0, ...plain.map(({ check }) => check.length))
    for (const { check, state, message, hint } of plain) {
      const tail = hint === null ? '' : `\n${' '.repeat(11 + width)}hint: ${escapeText(hint)}`
      await runtime.output.write(
        `${state.padEnd(7)}  ${escapeText(check).padEnd(width)}  ${escapeText(message)}${tail}\n`,
      )
    }
  }
  if (isRefused) return EXIT.auth
  return checks.some(({ state }) => state === 'failure') ? EXIT.answerIsNo : EXIT.done
}

/** A definition's own test puts what came back into words, the status included. */
function isRefusal({ state, message, refused }: Check): boolean {
  if (state !== 'failure') return false
  return (
    refused === true ||
    /\b40[13]\b|unauthori[sz]ed|forbidden|refused the (?:token|key|credentials)/i.test(message)
  )
}
