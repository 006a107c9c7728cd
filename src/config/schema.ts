import * as z from 'zod'
import { UserError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'
import { describeProblems } from './problems.ts'

export type Entry = Readonly<Record<string, unknown>>
export type SourceEntry = Entry & { readonly type: string }
export type StreamEntry = Entry & { readonly provider: string }

/** The file's frame: what stands inside an entry is checked by the definition of its type. */
export type Config = {
  readonly version: 1
  readonly defaultSource?: string | undefined
  readonly sources: Readonly<Record<string, SourceEntry>>
  readonly streams: Readonly<Record<string, StreamEntry>>
}

export const EMPTY_CONFIG: Config = { version: 1, sources: {}, streams: {} }

/** Names go into file names, labels and messages. */
export const ENTRY_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/

const entryName = z
  .string()
  .regex(ENTRY_NAME, 'a name has letters, digits, and . _ @ - inside, at most 64 of them')

export const frame = z.strictObject({
  version: z.literal(1),
  defaultSource: z.string().optional(),
  sources: z.record(entryName, z.looseObject({ type: z.string() })).default({}),
  streams: z.record(entryName, z.looseObject({ provider: z.string() })).default({}),
})

/**
 * The frame of a parsed configuration file.
 * @throws UserError naming each wrong key, what was found and what is allowed
 */
export function checkFrame(value: unknown, path: string): Config {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new UserError(`${path}: the configuration must be a JSON object`, {
      code: 'config',
      hint: 'begin with {"version": 1}',
    })
  }
  const version = 'version' in value ? value.version : undefined
  if (version !== 1) {
    const found = version === undefined ? 'there is no version' : `version ${JSON.stringify(version)}`
    throw new UserError(`${path}: ${found}; this auditctl reads version 1`, {
      code: 'config-version',
      hint: version === undefined ? 'add "version": 1' : 'use the release of auditctl that wrote the file',
    })
  }
  const parsed = frame.safeParse(value)
  if (!parsed.success) throw configError(path, describeProblems(parsed.error, frame, value))
  const config = parsed.data
  const { defaultSource } = config
  if (defaultSource !== undefined && !Object.hasOwn(config.sources, defaultSource)) {
    throw configError(path, [
      `defaultSource: there is no source named ${JSON.stringify(defaultSource)}; ${suggestion(defaultSource, Object.keys(config.sources)) ?? 'no source is configured'}`,
    ])
  }
  return config
}

/** One error for all problems of a file, a line each. */
export function configError(path: string, problems: readonly string[]): UserError {
  const [only] = problems
  // One line: the error's printer escapes line breaks, since messages may quote what came from outside.
  const text =
    problems.length === 1
      ? `${path}: ${only}`
      : `${path} has ${problems.length} problems: ${problems.map((line, i) => `(${i + 1}) ${line}`).join(' ')}`
  return new UserError(text, {
    code: 'config',
    hint: 'auditctl config validate checks every key; auditctl source types and stream types list what there is',
  })
}
