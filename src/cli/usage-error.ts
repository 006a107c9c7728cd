import { nearest } from '../core/suggest.ts'
import type { CommandSpec } from './tree/option-specs.ts'
import { COMMANDS } from './tree.ts'

/** commander's own errors, which end in exit code 2, in our words; undefined for any other error. */
export function usageOf(
  error: unknown,
  argv: readonly string[],
): { readonly message: string; readonly hint: string } | undefined {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('commander.'))
    return undefined
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = rest
    .join(' ')
    .replace(/^\((.*)\)$/, '$1')
    .replace(/^Did you mean/, 'did you mean')
    .trim()
  const help = `see ${['auditctl', ...commandOf(argv), '--help'].join(' ')}`
  const choice =
    /^(?:option '(?:-\w, )?(--[\w-]+)[^']*'|command-argument value) ?(?:argument )?'(.*)' is invalid(?:[^.]*)\. Allowed choices are (.*)\.$/s.exec(
      first,
    )
  if (choice !== null) {
    const [, flag = '', given = '', list = ''] = choice
    const near = nearest(given, list.split(', '))
    return {
      message: `${flag === '' ? '' : `${flag}: `}${JSON.stringify(given)} is not one of ${list}`,
      hint: near === undefined ? help : `did you mean ${near}?`,
    }
  }
  const bare = /^option '(?:-\w, )?(--[\w-]+) ?([^']*)' argument missing$/.exec(first)
  if (bare !== null) return { message: `${bare[1]} needs a value: ${bare[1]} ${bare[2]}`, hint: help }
  const missing = /^missing required argument '(.*)'$/.exec(first)
  if (missing !== null)
    return { message: `${commandOf(argv).join(' ')} needs an argument: <${missing[1]}>`, hint: help }
  const many = /^too many arguments for '.*'\. Expected (\d+) arguments? but got \d+: (.*)\.$/s.exec(first)
  if (many !== null) {
    const [, most = '0', given = ''] = many
    const room = most === '0' ? 'no argument' : most === '1' ? 'one argument' : `${most} arguments`
    return { message: `${commandOf(argv).join(' ')} takes ${room}, and was given: ${given}`, hint: help }
  }
  return { message: first, hint: suggestion === '' ? help : suggestion }
}

/** The command that was named, as far as there is one. */
function commandOf(argv: readonly string[]): readonly string[] {
  const path: string[] = []
  let known: readonly CommandSpec[] = COMMANDS
  for (const word of argv) {
    const spec = known.find(({ name }) => name === word)
    if (spec === undefined) continue
    path.push(spec.name)
    known = spec.commands ?? []
  }
  return path
}
