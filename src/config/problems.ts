import type * as z from 'zod'
import { redact } from '../core/secret.ts'
import { nearest } from '../core/suggest.ts'
import { holdsSecret, keysAt, valueAtPath } from './schema-walk.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** What is wrong with a value, a sentence for each: the key's path, what was found, what is allowed. Never shows a secret. */
export function describeProblems(
  error: z.ZodError,
  schema: z.ZodType,
  value: unknown,
  prefix: readonly string[] = [],
): string[] {
  const say = (issue: Issue, at: Path): string[] => {
    const path = [...at, ...issue.path]
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      return fewest(issue.errors).flatMap((inner) => say(inner, path))
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(key, path, keysAt(schema, path, value)))
    }
    return [`${keyOf([...prefix, ...path])}: ${sentence(issue, path)}`]
  }
  const unknownKey = (key: string, path: Path, known: readonly string[]): string => {
    const near = nearest(key, known)
    const allowed = near === undefined ? `allowed: ${known.join(', ')}` : `did you mean ${near}?`
    return `${keyOf([...prefix, ...path, key])}: unknown key; ${allowed}`
  }
  const sentence = (issue: Issue, path: Path): string => {
    const found = valueAtPath(value, path)
    // Where an object belongs nothing else is shown either: a secret may have been put one level too high.
    const isContainer = issue.code === 'invalid_type' && /object|record|array/.test(issue.expected)
    const shown = isContainer || holdsSecret(schema, path) ? describeType(found) : describe(found)
    if (found === undefined) return `is missing${expectation(issue)}`
    if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? 'is not a name that may stand here'
    if (issue.code === 'custom' || (issue.code === 'invalid_format' && issue.format === 'regex')) {
      return `found ${shown}; ${issue.message}`
    }
    const allowed = choices(issue)
    const near = typeof found === 'string' ? nearest(found, allowed ?? []) : undefined
    return `found ${shown}${expectation(issue) || `; ${issue.message}`}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`
  }
  return error.issues.flatMap((issue) => say(issue, []))
}

/** `sources.prod.auth.method`; numbers are places in an array. */
export function keyOf(path: Path): string {
  return path.map(String).join('.')
}

/** The branch of a union that was probably meant: fewest complaints, an unknown key counting most. */
function fewest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const weight = (issues: readonly Issue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1), 0)
  return branches.reduce((best, branch) => (weight(branch) < weight(best) ? branch : best))
}

function choices(issue: Issue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options)) {
    return issue.options.map(String)
  }
  return undefined
}

function expectation(issue: Issue): string {
  const allowed = choices(issue)
  if (allowed !== undefined) return `; allowed: ${allowed.map((choice) => JSON.stringify(choice)).join(', ')}`
  if (issue.code === 'invalid_type') return `; allowed: ${TYPES[issue.expected] ?? issue.expected}`
  if (issue.code === 'too_small' && issue.origin === 'string') return '; it must not be empty'
  if (issue.code === 'too_small')
    return `; it must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
  if (issue.code === 'too_big')
    return `; it must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`
  return ''
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function describe(value: unknown): string {
  // A long or multi-line text in a wrong place, or user info in a URL, is likely to be a secret.
  if (typeof value === 'string') {
    return value.length > 80 || /[@\n]/.test(value) ? describeType(value) : redact(JSON.stringify(value))
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  return describeType(value)
}

function describeType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
