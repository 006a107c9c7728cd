import { IncompleteError } from '../../core/errors.ts'
import { readFileBlocks, readText } from '../../storage/files.ts'
import { listInputs } from '../../storage/inputs.ts'
import type { IdInput } from './read-ids.ts'

export type OpenedInput = IdInput & {
  /** Its beginning, to be looked at before it is read: a whole line at least. What is damaged there is told by `text` only. */
  head(): AsyncGenerator<Uint8Array>
}

export type InputOptions = {
  /** A file, a glob, a folder, or `-` for stdin. */
  readonly path: string
  readonly stdin: AsyncIterable<Uint8Array>
  readonly baseDir: string
  readonly signal: AbortSignal
}

const NEWLINE = 0x0a
const HEAD_BYTES = 4096

/** The files that a path stands for, or stdin. @throws UserError when nothing is there */
export async function idInputs({
  path,
  stdin,
  baseDir,
  signal,
}: InputOptions): Promise<readonly OpenedInput[]> {
  if (path === '-') return [stdinInput(stdin)]
  const { files } = await listInputs(path, baseDir)
  return files.map((file) => {
    const text = () => readText(readFileBlocks(file.path, signal), file.path)
    return { name: file.path, text, head: () => first(text()) }
  })
}

/** stdin cannot be read again: what was looked at is put back. */
function stdinInput(stdin: AsyncIterable<Uint8Array>): OpenedInput {
  const text = readText(stdin, 'stdin')
  let beginning: Beginning | undefined
  return {
    name: 'stdin',
    async *text() {
      if (beginning !== undefined) {
        yield* beginning.blocks
        if (beginning.failure !== undefined) throw beginning.failure
      }
      yield* text
    },
    async *head() {
      beginning ??= await beginningOf(text)
      yield* [...beginning.blocks]
    },
  }
}

async function* first(text: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* (await beginningOf(text)).blocks
  } finally {
    await text.return(undefined)
  }
}

type Beginning = { readonly blocks: readonly Uint8Array[]; readonly failure: IncompleteError | undefined }

async function beginningOf(text: AsyncGenerator<Uint8Array>): Promise<Beginning> {
  const blocks: Uint8Array[] = []
  let bytes = 0
  try {
    while (bytes < HEAD_BYTES) {
      const next = await text.next()
      if (next.done === true) break
      blocks.push(Buffer.from(next.value))
      bytes += next.value.length
      if (next.value.includes(NEWLINE)) break
    }
  } catch (failure) {
    if (!(failure instanceof IncompleteError)) throw failure
    return { blocks, failure }
  }
  return { blocks, failure: undefined }
}
