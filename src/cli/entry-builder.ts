import { describeProblems } from '../config/problems.ts'
import type { Entry } from '../config/schema.ts'
import {
  choicesAt,
  discriminatorAt,
  type EntrySchema,
  holdsSecret,
  isSecretAt,
  keysAt,
  schemasAt,
  valueAtPath,
} from '../config/schema-walk.ts'
import { isReference } from '../config/secrets.ts'
import { UserError } from '../core/errors.ts'
import type { Prompter } from './prompt.ts'

type Path = readonly string[]

/**
 * The entry with `key=value` settings applied, each value read as the schema wants it.
 * @throws UserError for a setting that is not one, or that holds a secret itself; the message never shows it
 */
export function applySettings(entry: Entry, settings: readonly string[], schema: EntrySchema): Entry {
  let next = entry
  for (const setting of settings) {
    const at = setting.indexOf('=')
    const key = setting.slice(0, at)
    if (at < 1) {
      throw new UserError('--set wants KEY=VALUE', { hint: '--set url=https://… --set auth.method=token' })
    }
    const path = key.split('.')
    const value = readValue(setting.slice(at + 1), schema, path)
    refuseSecret(
      value,
      schema,
      path,
      key,
      `a literal goes through --secret-stdin ${key}, or is asked for on a terminal`,
    )
    next = setAt(next, path, value)
  }
  return next
}

/** A typed text as the value that the schema wants at the path: the text itself, JSON, or a list of words between commas. */
export function readValue(text: string, schema: EntrySchema, path: Path): unknown {
  const wanted = schemasAt(schema, path)
  const fits = (value: unknown): boolean => wanted.some((at) => (at as EntrySchema).safeParse(value).success)
  if (fits(text)) return text
  const parsed = jsonOf(text)
  if (parsed !== undefined && fits(parsed)) return parsed
  const words = text.split(',').map((word) => word.trim())
  if (fits(words)) return words
  // A union of several shapes may judge only the whole: what looks like an object or a list is one.
  return parsed !== null && typeof parsed === 'object' ? parsed : text
}

/** @throws UserError when a value given as an argument is, or holds, a credential that is no reference */
export function refuseSecret(
  value: unknown,
  schema: EntrySchema,
  path: Path,
  key: string,
  literally: string,
): void {
  if (typeof value === 'string') {
    const known = schemasAt(schema, path)
    // A text at a place where an object belongs, or at a key nobody knows, may be a secret as well; validation names the key.
    if (!isSecretAt(schema, path) || known.length === 0 || isReference(value) || value === '') return
    throw new UserError(`${key} is a secret, and a secret is not taken as an argument`, {
      code: 'secret-argument',
      hint: `give a reference: env:NAME, file:PATH, cmd:COMMAND or keychain:NAME; ${literally}`,
    })
  }
  if (value === null || typeof value !== 'object') return
  for (const [name, inner] of Object.entries(value)) {
    refuseSecret(inner, schema, [...path, name], `${key}.${name}`, literally)
  }
}

/** A copy of the object with the value at the path; objects on the way are made where they are missing. */
export function setAt(entry: Entry, path: Path, value: unknown): Entry {
  const [key, ...rest] = path
  if (key === undefined || key === '') throw new UserError('A key must not be empty')
  if (rest.length === 0) return withKey(entry, key, value)
  const inner = Object.hasOwn(entry, key) ? entry[key] : undefined
  const base = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? (inner as Entry) : {}
  return withKey(entry, key, setAt(base, rest, value))
}

/** The paths of required keys that the entry lacks, in the schema's order; undefined when something else is wrong with it. */
export function missingPaths(entry: Entry, schema: EntrySchema): readonly Path[] | undefined {
  const parsed = schema.safeParse(entry)
  if (parsed.success) return []
  const missing: Path[] = []
  for (const issue of parsed.error.issues) {
    const path = issue.path.map(String)
    if (valueAtPath(entry, path) !== undefined || issue.code === 'unrecognized_keys') return undefined
    missing.push(path)
  }
  return missing
}

/**
 * Asks for what the entry still lacks, secrets without echo, until it is whole.
 * @throws UserError when what it holds is wrong, or when it lacks something and there is nobody to ask
 */
export async function completeEntry(
  entry: Entry,
  schema: EntrySchema,
  options: {
    readonly prefix: Path
    readonly ask: () => Prompter | undefined
    readonly fail: (problems: readonly string[]) => Error
  },
): Promise<Entry> {
  let whole = entry
  for (;;) {
    const missing = missingPaths(whole, schema)
    if (missing?.length === 0) return whole
    const prompter = missing === undefined ? undefined : options.ask()
    const path = missing?.[0]
    if (prompter === undefined || path === undefined) {
      const parsed = schema.safeParse(whole)
      throw options.fail(parsed.success ? [] : describeProblems(parsed.error, schema, whole, options.prefix))
    }
    whole = await askFor(path, whole, schema, prompter)
  }
}

async function askFor(path: Path, entry: Entry, schema: EntrySchema, prompter: Prompter): Promise<Entry> {
  const key = path.join('.')
  const discriminator = discriminatorAt(schema, path)
  if (discriminator !== undefined) return askFor([...path, discriminator], entry, schema, prompter)
  const choices = choicesAt(schema, path, entry)
  if (choices?.length === 1) return setAt(entry, path, choices[0])
  if (choices !== undefined) return setAt(entry, path, await prompter.choice(key, choices))
  const isSecret = isSecretAt(schema, path)
  if (!isSecret && (keysAt(schema, path, entry).length > 0 || holdsSecret(schema, path))) {
    return setAt(entry, path, {})
  }
  for (let question = key; ; ) {
    const text = isSecret ? await prompter.secret(question) : await prompter.text(question)
    const value = readValue(text, schema, path)
    const complaint = complaintOf(value, schema, path)
    if (complaint === undefined) return setAt(entry, path, value)
    question = `${key} (${complaint})`
  }
}

function complaintOf(value: unknown, schema: EntrySchema, path: Path): string | undefined {
  let complaint: string | undefined
  for (const at of schemasAt(schema, path)) {
    const parsed = (at as EntrySchema).safeParse(value)
    if (parsed.success) return undefined
    complaint ??= value === '' ? 'it must not be empty' : parsed.error.issues[0]?.message
  }
  return complaint
}

function withKey(entry: Entry, key: string, value: unknown): Entry {
  const copy = { ...entry }
  // An assignment to __proto__ would not make a key.
  Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true })
  return copy
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
