import { readFileSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { UserError } from '../core/errors.ts'
import { findJsonFault } from './json-text.ts'
import { ensureFolderOf, errorCode } from './paths.ts'
import { type Config, checkFrame, EMPTY_CONFIG } from './schema.ts'

export type LoadedConfig = {
  readonly path: string
  /** Folder that relative paths inside start from. */
  readonly baseDir: string
  /** The file's text; undefined when there is no file. */
  readonly text: string | undefined
  readonly config: Config
  /** Permission bits and owner; undefined when there is no file. */
  readonly file: { readonly mode: number; readonly uid: number } | undefined
}

/**
 * Reads the configuration file; a missing one counts as empty unless it `mustExist`.
 * @throws UserError naming the place of a syntax error, or each key that the frame does not allow
 */
export function loadConfig(path: string, options: { readonly mustExist: boolean }): LoadedConfig {
  const text = readText(path)
  const baseDir = dirname(path)
  if (text === undefined) {
    if (options.mustExist) {
      throw new UserError(`There is no configuration file ${path}`, {
        code: 'no-config',
        hint: 'auditctl source add creates it; auditctl config path shows which one is used',
      })
    }
    return { path, baseDir, text, config: EMPTY_CONFIG, file: undefined }
  }
  const { mode, uid } = statSync(path)
  return { path, baseDir, text, config: parseConfig(text, path), file: { mode, uid } }
}

/** @throws UserError with line and column when the text is not JSON, or with the wrong keys */
export function parseConfig(text: string, path: string): Config {
  const plain = text.replace(/^\uFEFF/, '')
  if (plain.trim() === '') throw new UserError(`${path} is empty`, { hint: 'write {"version": 1} into it' })
  const fault = findJsonFault(plain)
  if (fault !== undefined) {
    throw new UserError(`${path}:${fault.line}:${fault.column}: not valid JSON: ${fault.message}`, {
      code: 'config-syntax',
      hint: 'mend it there; auditctl config validate says when it is right',
    })
  }
  return checkFrame(JSON.parse(plain), path)
}

/**
 * Writes the configuration through conf: aside, then renamed over the file, readable by its owner alone.
 * @throws UserError when the file is read-only, cannot be written, or was changed since it was loaded
 */
export async function saveConfig(loaded: LoadedConfig, config: Config): Promise<void> {
  const { path } = loaded
  checkFrame(config, path)
  if (readText(path) !== loaded.text) {
    throw new UserError(`${path} was changed by another program meanwhile; nothing was written`, {
      hint: 'run the command again',
    })
  }
  // A rename would replace a read-only file without a word.
  if (loaded.file !== undefined && (loaded.file.mode & 0o222) === 0) {
    throw new UserError(`${path} is read-only; nothing was written`, { hint: 'edit it where it is made' })
  }
  const { default: Conf } = await import('conf')
  try {
    ensureFolderOf(path)
    const store = new Conf<Record<string, unknown>>({
      projectName: 'auditctl',
      cwd: dirname(path),
      configName: basename(path),
      fileExtension: '',
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
      serialize: (value) => `${JSON.stringify(value, undefined, 2)}\n`,
    })
    store.store = { ...config }
  } catch (cause) {
    throw new UserError(`${path} cannot be written (${errorCode(cause)})`, {
      cause,
      hint: 'set AUDITCTL_CONFIG to a file that this account can write',
    })
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = errorCode(cause)
    if (code === 'ENOENT') return undefined
    throw new UserError(`The configuration ${path} cannot be read (${code})`, {
      cause,
      code: 'config',
      hint:
        code === 'EISDIR'
          ? 'name a file, not a folder, with --config or AUDITCTL_CONFIG'
          : 'make it readable for this account, or name another file with --config or AUDITCTL_CONFIG',
    })
  }
}
