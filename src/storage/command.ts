import { type ChildProcess, spawn } from 'node:child_process'
import { UserError } from '../core/errors.ts'
import { redact } from '../core/secret.ts'

export type CommandOptions = {
  readonly signal: AbortSignal
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** How a child ended. `complaint` is the last line it wrote to stderr, fit to be shown. */
export type CommandEnd = {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly complaint: string
}

export type RunningCommand = {
  /** Ends when the child closes it; a reader that stops early kills the child. */
  readonly stdout: AsyncIterable<Uint8Array>
  /** Settles once the child is gone, whatever became of stdout. Never rejects. */
  readonly ended: Promise<CommandEnd>
}

const MAX_COMPLAINT = 4096

/**
 * Starts a program without a shell, with nothing on its stdin, and gives its stdout as it comes.
 * @throws UserError when there is no such program or it may not be run; the signal's reason when aborted
 */
export async function startCommand(
  argv: readonly string[],
  options: CommandOptions,
): Promise<RunningCommand> {
  const [program = '', ...rest] = argv
  if (program === '') throw new UserError('A command needs the name of a program')
  options.signal.throwIfAborted()
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    shell: false,
    windowsHide: true,
  })
  let tail = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-MAX_COMPLAINT)
  })
  const ended = new Promise<CommandEnd>((settle) => {
    child.once('close', (exitCode, signal) => settle({ exitCode, signal, complaint: lastLine(tail) }))
    child.once('error', () => settle({ exitCode: null, signal: null, complaint: '' }))
  })
  await started(child, program)
  const abort = () => {
    child.kill('SIGKILL')
    // A grandchild may hold the pipe open: what it still writes is not waited for.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  options.signal.addEventListener('abort', abort, { once: true })
  ended.finally(() => options.signal.removeEventListener('abort', abort))
  return { stdout: readStdout(child, options.signal), ended }
}

/**
 * Runs a program to its end and gives all it wrote to stdout, at most `maxBytes` of it.
 * @throws UserError when it cannot be started, fails, writes too much or takes too long: the message holds nothing of its stdout
 */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions & { readonly maxBytes: number; readonly timeoutMs?: number },
): Promise<Uint8Array> {
  const name = JSON.stringify(argv[0] ?? '')
  const limit = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs)
  const signal = limit === undefined ? options.signal : AbortSignal.any([options.signal, limit])
  const parts: Uint8Array[] = []
  let length = 0
  try {
    const running = await startCommand(argv, { ...options, signal })
    for await (const part of running.stdout) {
      length += part.length
      if (length > options.maxBytes) {
        throw new UserError(`The command ${name} wrote more than ${options.maxBytes} bytes`)
      }
      parts.push(part)
    }
    const end = await running.ended
    signal.throwIfAborted()
    if (end.exitCode !== 0) {
      throw new UserError(
        `The command ${name} ${describeEnd(end)}${end.complaint ? `: ${end.complaint}` : ''}`,
        { hint: 'run it by hand to see what it wants' },
      )
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (limit?.aborted && !options.signal.aborted) {
      throw new UserError(`The command ${name} was still running after ${options.timeoutMs} ms`, {
        cause: error,
      })
    }
    throw error
  }
}

/** `ended with exit code 1` or `was killed by SIGTERM`. */
export function describeEnd(end: CommandEnd): string {
  return end.signal === null ? `ended with exit code ${end.exitCode}` : `was killed by ${end.signal}`
}

/**
 * Words of a command line as a shell would split them: single and double quotes and backslashes, nothing else; no variables, no globs.
 * @throws UserError when a quote is not closed
 */
export function splitCommand(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let i = 0; i < line.length; i += 1) {
    const c = line[i] ?? ''
    if (c === '\\' && quote !== "'" && i + 1 < line.length) {
      i += 1
      // Inside double quotes a backslash is only special before what it can escape.
      const next = line[i] ?? ''
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next)
    } else if (quote !== '') {
      if (c === quote) quote = ''
      else word = (word ?? '') + c
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + c
  }
  if (quote !== '') throw new UserError(`A ${quote} is not closed in the command`)
  if (word !== undefined) words.push(word)
  return words
}

async function started(child: ChildProcess, program: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'there is no such program' : (code ?? 'it could not be started')
    throw new UserError(`The command ${JSON.stringify(program)} cannot be run: ${why}`, {
      cause,
      hint: 'a command is run without a shell: give the program by its path, or by a name that is in PATH',
    })
  }
}

async function* readStdout(child: ChildProcess, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of child.stdout ?? []) yield part as Uint8Array
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    if (child.exitCode === null && child.signalCode === null && !child.stdout?.readableEnded) {
      child.kill('SIGKILL')
    }
  }
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return redact(line.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, 200))
}
