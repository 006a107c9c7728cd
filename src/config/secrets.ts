import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UserError } from '../core/errors.ts'
import type { SecretResolver } from '../core/secret.ts'
import { type Environment, errorCode } from './paths.ts'

export type SecretParts = {
  readonly env: Environment
  /** The configuration file that holds the references. */
  readonly configFile: string
  /** Runs a command line without a shell and gives its stdout; errors hold none of it. */
  runCommand(line: string): Promise<Uint8Array>
  /** An entry of the system's keychain; null when there is none. @throws when there is no keychain */
  keychain(name: string): Promise<string | null>
}

const utf8 = new TextDecoder('utf-8')

/** Resolves references of one configuration file. No error shows a value. */
export function secretResolver(parts: SecretParts): SecretResolver {
  return async (reference) => {
    const [, kind, rest = ''] = /^(env|file|cmd|keychain):(.*)$/s.exec(reference) ?? []
    if (kind === undefined) return reference
    if (rest === '') throw new UserError(`The secret reference ${kind}: names nothing`, { code: 'secret' })
    if (kind === 'env') return fromEnvironment(rest, parts.env)
    if (kind === 'file') return fromFile(rest, parts.configFile)
    return kind === 'cmd' ? fromCommand(rest, parts) : fromKeychain(rest, parts)
  }
}

/** Whether a text is a reference rather than the secret itself. */
export function isReference(text: string): boolean {
  return /^(?:env|file|cmd|keychain):./s.test(text)
}

/** Who but its owner may read or write a file, by its permission bits; on Windows these say nothing. */
export function isReadableByOthers(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o044) !== 0
}

function fromEnvironment(name: string, env: Environment): string {
  const value = env[name]
  if (value) return value
  throw new UserError(`The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}`, {
    code: 'secret',
    hint: `the configuration reads a secret from it: export ${name}=…`,
  })
}

async function fromFile(name: string, configFile: string): Promise<string> {
  const path = resolve(dirname(configFile), name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new UserError(`The secret file ${path} cannot be read (${errorCode(cause)})`, {
      cause,
      code: 'secret',
      hint: 'a relative path starts at the folder of the configuration file',
    })
  }
  return nonEmpty(text, `The secret file ${path} is empty`)
}

async function fromCommand(line: string, parts: SecretParts): Promise<string> {
  await refuseForeignCommand(parts.configFile, 'A cmd: secret')
  return nonEmpty(utf8.decode(await parts.runCommand(line)), 'The command of a cmd: secret printed nothing')
}

async function fromKeychain(name: string, parts: SecretParts): Promise<string> {
  let found: string | null
  try {
    found = await parts.keychain(name)
  } catch (cause) {
    throw new UserError(
      `keychain:${name}: there is no keychain here that can be read (${messageOf(cause)})`,
      {
        cause,
        code: 'secret',
        hint: 'a server or a container usually has none: use env:, file: or cmd: instead',
      },
    )
  }
  if (found) return found
  throw new UserError(`The keychain has no entry ${name} of the service auditctl`, {
    code: 'secret',
    hint:
      process.platform === 'darwin'
        ? `security add-generic-password -s auditctl -a ${name} -w`
        : `store it there under the service auditctl and the user ${name}; a machine without a keychain needs env:, file: or cmd:`,
  })
}

/**
 * Whoever can write the configuration could run commands as its reader. `what`: the command in messages, `A cmd: secret`.
 * @throws UserError
 */
export async function refuseForeignCommand(configFile: string, what: string): Promise<void> {
  if (process.platform === 'win32') return
  const file = await stat(configFile)
  const reader = process.getuid?.()
  const why =
    (file.mode & 0o022) !== 0
      ? 'others can write it'
      : reader !== undefined && file.uid !== reader && file.uid !== 0
        ? 'it belongs to another account'
        : undefined
  if (why === undefined) return
  throw new UserError(`${what} of ${configFile} is not run, since ${why}`, {
    code: 'secret',
    hint: `chmod 600 ${configFile}`,
  })
}

function nonEmpty(text: string, complaint: string): string {
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw new UserError(complaint, { code: 'secret' })
  return value
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0]?.slice(0, 120) ?? ''
}
