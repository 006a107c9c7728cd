import type { Io } from '../runtime.ts'

/**
 * While the screen stands nothing else may write to the terminal: what is meant for stderr (logs, warnings of Node) is handed to `tell`
 * instead. A stderr that is not the terminal is left alone. Gives what ends it.
 */
export function holdStderr(
  io: Pick<Io, 'stderr' | 'stderrIsTerminal'>,
  tell: (text: string) => void,
): () => void {
  const { stderr } = io
  if (!io.stderrIsTerminal) return () => {}
  const own = stderr.write
  const held = (chunk: Uint8Array | string, ...rest: readonly unknown[]): boolean => {
    tell(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))
    const done = rest.findLast((part) => typeof part === 'function') as (() => void) | undefined
    if (done !== undefined) queueMicrotask(done)
    return true
  }
  stderr.write = held as typeof own
  return () => {
    stderr.write = own
  }
}
