import { glob, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { UserError } from '../core/errors.ts'
import { codeOf, readError } from './disk-errors.ts'
import { digestedName } from './objects/hour-keys.ts'

/** A file to be read. `isSeekable`: a regular file, which can be read again and at any place. */
export type InputFile = { readonly path: string; readonly bytes: number; readonly isSeekable: boolean }

/** What a path stood for. `skipped` names what lies there but holds no data. */
export type Inputs = {
  readonly files: readonly InputFile[]
  readonly skipped: readonly string[]
  /** The path named a folder. */
  readonly isFolder: boolean
}

const DATA_FILE =
  /\.(?:jsonl|ndjson|json|csv|tsv|log|txt)(?:\.(?:gz|gzip|zst|zstd))?$|\.(?:gz|gzip|zst|zstd)$/i
const NOT_DATA =
  /^(?:\..*|_.*|(?:.*[.-])?manifest\.json|.*\.(?:part|tmp|swp|bak|sha256|sha1|md5|md|crc|lock|sig))$/i

/**
 * The files that a path, a folder or a glob stands for, in the order of their names; relative paths start at `baseDir`.
 * In a folder and for a glob, manifests and other files without data are left out; a path to one file is taken as it is.
 * @throws UserError when nothing is there
 */
export async function listInputs(pattern: string, baseDir: string): Promise<Inputs> {
  const path = isAbsolute(pattern) ? pattern : resolve(baseDir, pattern)
  const found = await statOf(path)
  if (found === undefined && !/[*?[\]{}!()]/.test(pattern)) {
    throw readError(Object.assign(new Error('not found'), { code: 'ENOENT' }), path)
  }
  if (found !== undefined && !found.isDirectory()) {
    return { files: [inputFile(path, found)], skipped: [], isFolder: false }
  }
  const names: string[] = []
  try {
    // A folder or a file whose own name looks like a pattern was met above; what is left is one.
    const entries = found === undefined ? glob(path) : glob('**/*', { cwd: path })
    for await (const entry of entries) names.push(found === undefined ? entry : join(path, entry))
  } catch (error) {
    throw readError(error, path)
  }
  const files: InputFile[] = []
  const skipped: string[] = []
  for (const name of names.sort(byName)) {
    const entry = await statOf(name)
    if (entry === undefined || entry.isDirectory()) continue
    const base = name.slice(name.lastIndexOf(sep) + 1)
    // A bucket that was copied to the disk keeps its objects' names.
    const isData = found === undefined || DATA_FILE.test(base) || digestedName(base)
    if (NOT_DATA.test(base) || !isData) skipped.push(name)
    else files.push(inputFile(name, entry))
  }
  if (files.length === 0 && !skipped.some((name) => /manifest\.json$/.test(name))) {
    throw new UserError(`${path} ${found === undefined ? 'matches no file' : 'holds no data files'}`, {
      hint:
        found === undefined
          ? 'check the pattern, and quote it so that the shell leaves it alone'
          : 'data files end in .jsonl, .json or .csv, also with .gz or .zst, or are named as CircleCI names them',
      code: 'no-input',
    })
  }
  return { files, skipped, isFolder: found !== undefined }
}

function inputFile(path: string, entry: Awaited<ReturnType<typeof stat>>): InputFile {
  return { path, bytes: Number(entry.size), isSeekable: entry.isFile() }
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw readError(error, path)
  }
}

// Not by locale: the same files are read in the same order everywhere.
function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
