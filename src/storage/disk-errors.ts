import { LocalError, UserError } from '../core/errors.ts'

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large for the file system',
  EIO: 'input/output error of the disk',
  EISDIR: 'it is a folder',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENODEV: 'the device is gone',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ESTALE: 'the network file system lost the file',
}

/** Errors by which a disk that worked before tells that it is full or failing. */
const FAILING = new Set(['EDQUOT', 'EFBIG', 'EIO', 'EMFILE', 'ENFILE', 'ENODEV', 'ENOSPC', 'EROFS', 'ESTALE'])

/** The system's code, `ENOSPC`; undefined when the error is not the system's. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/** An input that cannot be read: a UserError when it is missing or forbidden, a LocalError when the disk fails. Other errors come back as they are. */
export function readError(cause: unknown, path: string): unknown {
  const code = codeOf(cause)
  if (code === undefined) return cause
  const message = `${path} cannot be read: ${WORDS[code] ?? code} (${code})`
  if (FAILING.has(code)) {
    return new LocalError(message, {
      cause,
      hint: 'check the disk, then run the same command again; what was recorded before is intact',
    })
  }
  const hint =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'check the path; relative paths of the configuration start at its folder'
      : code === 'EACCES' || code === 'EPERM'
        ? 'check its owner and mode, and those of the folders above it'
        : undefined
  return new UserError(message, { cause, hint, code: 'unreadable-file' })
}

/**
 * An output that cannot be written: a LocalError when the disk is full or failing in mid-run, a UserError when it may not be written at all.
 * `intact` says what was kept. Other errors come back as they are.
 */
export function writeError(cause: unknown, path: string, intact: string): unknown {
  const code = codeOf(cause)
  if (code === undefined) return cause
  const message = `${path} cannot be written: ${WORDS[code] ?? code} (${code})`
  if (!FAILING.has(code)) {
    return new UserError(message, {
      cause,
      hint: 'check that the folder exists and may be written, or choose another place',
      code: 'unwritable-file',
    })
  }
  const todo =
    code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
      ? 'free some space'
      : code === 'EROFS'
        ? 'make the file system writable'
        : 'check the disk'
  return new LocalError(message, { cause, hint: `${intact}; ${todo}, then run the same command again` })
}
