import { UserError } from '../../core/errors.ts'
import type { Clock } from '../../core/runtime.ts'
import { readFileBlocks, readText } from '../../storage/files.ts'
import { listInputs } from '../../storage/inputs.ts'
import { isObjectUrl } from '../../storage/objects/location.ts'
import { objectInputs } from '../../storage/objects/object-inputs.ts'
import type { OpenStore } from '../../storage/objects/open-store.ts'
import { plainStart } from '../../storage/probe.ts'

/** One file, or stdin, to be passed over. */
export type Input = {
  /** Its path, for messages too. */
  readonly name: string
  /** Its text from the beginning. */
  text(): AsyncGenerator<Uint8Array>
  /** Where the text begins in a file that can be read again in place; undefined for what is packed, and for pipes. */
  readonly start: number | undefined
  /** It was found by a pattern or in a folder, where other files may lie too. */
  readonly mayBeOther: boolean
  /** Whether any of its first lines begins like a JSON object. */
  hasObjects(): Promise<boolean>
}

export type FoundInputs = {
  readonly inputs: AsyncIterable<Input>
  /** A folder, whose manifest says more about its files. */
  readonly folder: string | undefined
  readonly skipped: readonly string[]
  readonly files: number
}

/** @throws UserError when nothing is there */
export async function findInputs(
  path: string,
  from: {
    readonly baseDir: string
    readonly stdin: AsyncIterable<Uint8Array>
    readonly signal: AbortSignal
    readonly clock: Clock
    readonly openStore?: OpenStore
  },
  isWanted: (file: string, bytes: number) => boolean = () => true,
): Promise<FoundInputs> {
  if (path === '-') return { inputs: once(stdinInput(from.stdin)), folder: undefined, skipped: [], files: 1 }
  if (isObjectUrl(path)) return objectInputs(path, from, isWanted)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
    throw new UserError(`${path} is no URL that a file source can open`, {
      hint: 'buckets are written s3://bucket/prefix, gs://bucket/prefix or azblob://container/prefix',
      code: 'object-url',
    })
  }
  const { files, skipped, isFolder } = await listInputs(path, from.baseDir)
  const isSingle = files.length === 1 && !isFolder
  async function* inputs(): AsyncGenerator<Input> {
    for (const file of files) {
      if (!isWanted(file.path, file.bytes)) continue
      const start = file.isSeekable ? await plainStart(file.path) : undefined
      yield {
        name: file.path,
        text: () => readText(readFileBlocks(file.path, from.signal), file.path),
        start,
        mayBeOther: !isSingle,
        hasObjects: () => hasObjects(readText(readFileBlocks(file.path, from.signal), file.path)),
      }
    }
  }
  return { inputs: inputs(), folder: isFolder ? path : undefined, skipped, files: files.length }
}

function stdinInput(stdin: AsyncIterable<Uint8Array>): Input {
  return {
    name: 'stdin',
    text: () => readText(stdin, 'stdin'),
    start: undefined,
    mayBeOther: false,
    hasObjects: async () => true,
  }
}

async function* once<Value>(value: Value): AsyncGenerator<Value> {
  yield value
}

async function hasObjects(text: AsyncGenerator<Uint8Array>): Promise<boolean> {
  for await (const block of text) return /^[ \t]*\{/m.test(Buffer.from(block).toString('latin1'))
  return false
}
