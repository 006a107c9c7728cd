import { createHash } from 'node:crypto'

/** What makes two commands the same question: a resumed run is found by it, and another question gets another run. */
export function runKey(question: {
  readonly source: string
  readonly stream: string
  readonly mode: string
  readonly filterText: string
  readonly typedWindow: string
}): string {
  const { source, stream, mode, filterText, typedWindow } = question
  return createHash('sha256')
    .update(JSON.stringify([source, stream, mode, filterText, typedWindow]))
    .digest('hex')
    .slice(0, 32)
}
