import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { UserError } from '../core/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration file: the flag's, else `$AUDITCTL_CONFIG`, else the XDG place. Absolute. */
export function configPath(env: Environment, flag?: string): string {
  const named = flag || env['AUDITCTL_CONFIG']
  if (named) return resolve(named)
  return join(xdgFolder(env, 'XDG_CONFIG_HOME', '.config'), 'auditctl', 'config.json')
}

/** Where ledger, spool and dead letters live: `$AUDITCTL_STATE_DIR`, else the XDG place. Absolute; nothing is created. */
export function stateDir(env: Environment): string {
  const named = env['AUDITCTL_STATE_DIR']
  if (named) return resolve(named)
  return join(xdgFolder(env, 'XDG_STATE_HOME', '.local/state'), 'auditctl')
}

/**
 * The state folder, created private (0700) when it is missing.
 * @throws UserError naming the folder when it cannot be created or written
 */
export function ensureStateDir(env: Environment): string {
  const folder = stateDir(env)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new UserError(`The state folder ${folder} cannot be written (${errorCode(cause)})`, {
      cause,
      code: 'state-dir',
      hint: 'set AUDITCTL_STATE_DIR to a folder that this account can write',
    })
  }
  return folder
}

/** Creates the folder of a file, private to the account. */
export function ensureFolderOf(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
}

/** `EACCES`, or the message of an error that has no code. */
export function errorCode(error: unknown): string {
  if (error !== null && typeof error === 'object' && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}

function xdgFolder(env: Environment, variable: string, fallback: string): string {
  const named = env[variable]
  // The XDG specification: a relative path is to be ignored.
  if (named && isAbsolute(named)) return named
  return join(env['HOME'] || accountHome(), fallback)
}

function accountHome(): string {
  try {
    return userInfo().homedir
  } catch (cause) {
    // A numeric user of a container need not have an account.
    throw new UserError('HOME is not set and this account has no home folder', {
      cause,
      hint: 'set HOME, or AUDITCTL_CONFIG and AUDITCTL_STATE_DIR',
    })
  }
}
