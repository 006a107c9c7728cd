import { LocalError } from '../core/errors.ts'
import { escapeData } from '../core/escape-text.ts'

/** The reader closed the pipe (`auditctl query | head -1`): not an error, the command ends quietly with exit 0. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError'
}

/** Data to stdout with back-pressure; nothing else may write there. */
export type Output = {
  /** Resolves when the stream is ready for more. @throws BrokenPipeError when the reader has gone */
  write(chunk: string | Uint8Array): Promise<void>
  /** Resolves when the bytes have left and may be overwritten. @throws as `write` */
  put(bytes: Uint8Array): Promise<void>
  /** Resolves when everything written has left. */
  flush(): Promise<void>
}

/**
 * @param isTerminal what is shown to a person has no control characters from outside: of bytes, which are events, they are spelled out here;
 * whoever writes text has done so.
 */
export function outputTo(stream: NodeJS.WritableStream, isTerminal: boolean): Output {
  let failure: Error | undefined
  let wake: (() => void) | undefined
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= failureOf(error)
    wake?.()
  })
  stream.on('drain', () => wake?.())
  stream.on('close', () => wake?.())
  const check = (): void => {
    if (failure !== undefined) throw failure
  }
  const shown = (bytes: Uint8Array): string | Uint8Array =>
    isTerminal ? escapeData(Buffer.from(bytes).toString('utf8')) : bytes
  const leave = async (chunk: string | Uint8Array): Promise<void> => {
    check()
    await new Promise<void>((resolve) => {
      stream.write(chunk, (error) => {
        if (error) failure ??= failureOf(error)
        resolve()
      })
    })
    check()
  }
  return {
    async write(chunk) {
      check()
      if (stream.write(typeof chunk === 'string' ? chunk : shown(chunk))) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      wake = undefined
      check()
    },
    put: (bytes) => leave(shown(bytes)),
    flush: () => leave(''),
  }
}

function failureOf(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return new BrokenPipeError()
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
  return new LocalError(
    `stdout cannot be written: ${full ? 'no space left' : error.message} (${error.code})`,
    {
      cause: error,
      hint: full
        ? 'free some space, then run the same command again'
        : 'check where the output is directed to, then run the same command again',
    },
  )
}
