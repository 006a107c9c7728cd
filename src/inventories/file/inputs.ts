import { readFileBlocks, readText } from '../../storage/files.ts'
import { listInputs } from '../../storage/inputs.ts'
import type { IdInput } from './read-ids.ts'

export type OpenedInput = IdInput & {
  /** Its first block, to be looked at before it is read. */
  head(): AsyncGenerator<Uint8Array>
}

export type InputOptions = {
  /** A file, a glob, a folder, or `-` for stdin. */
  readonly path: string
  readonly stdin: AsyncIterable<Uint8Array>
  readonly baseDir: string
  readonly signal: AbortSignal
}

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
  const seen: Uint8Array[] = []
  return {
    name: 'stdin',
    async *text() {
      yield* seen
      yield* text
    },
    async *head() {
      if (seen.length === 0) {
        const next = await text.next()
        if (next.done === true) return
        seen.push(Buffer.from(next.value))
      }
      yield* [...seen]
    },
  }
}

async function* first(text: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const block of text) {
    yield block
    return
  }
}
