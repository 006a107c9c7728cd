import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { EXIT, InterruptedError, UserError } from '../core/errors.ts'
import { nearest } from '../core/suggest.ts'
import type { Io } from './runtime.ts'

/** Asks a person, on stderr. Each method throws InterruptedError on Ctrl-C and UserError at the end of the input. */
export type Prompter = {
  text(question: string): Promise<string>
  /** Without echo. */
  secret(question: string): Promise<string>
  /** Asks again until the answer is one of the choices, or the beginning of just one. */
  choice(question: string, choices: readonly string[]): Promise<string>
  /** `no` unless the answer says yes. */
  confirm(question: string): Promise<boolean>
  close(): void
}

/** Whether there is a person to ask: stdin and stderr are both terminals. */
export function canAsk(io: Pick<Io, 'stdinIsTerminal' | 'stderrIsTerminal'>): boolean {
  return io.stdinIsTerminal && io.stderrIsTerminal
}

/** One reader for all questions of a command, so that pasted lines are not lost between them. Close it in a `finally`. */
export function openPrompter(io: Pick<Io, 'stdin' | 'stderr'>, signal: AbortSignal): Prompter {
  // Nothing typed ahead of its question is shown: it may be the answer to one about a secret.
  let isMuted = true
  const screen = new Writable({
    write(chunk, _encoding, done) {
      if (!isMuted) io.stderr.write(chunk)
      done()
    },
  })
  const reader = createInterface({ input: io.stdin, output: screen, terminal: true, historySize: 0 })
  const stop = new AbortController()
  const lines: string[] = []
  let wake: (() => void) | undefined
  reader.on('line', (line) => {
    isMuted = true
    lines.push(line)
    wake?.()
  })
  // A terminal in raw mode sends no signal: the key arrives here.
  reader.on('SIGINT', () => stop.abort(new InterruptedError('interrupted', EXIT.sigint)))
  reader.on('close', () => stop.abort(new UserError('The input ended before the question was answered')))

  const ask = async (question: string, muted: boolean): Promise<string> => {
    const any = AbortSignal.any([signal, stop.signal])
    const isWaiting = lines.length > 0
    if (!isWaiting) any.throwIfAborted()
    // The reader draws its prompt again whenever it draws the line: muted, it draws nothing.
    if (muted || isWaiting) io.stderr.write(question)
    else {
      isMuted = false
      reader.setPrompt(question)
      reader.prompt()
    }
    try {
      while (lines.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
          any.addEventListener('abort', () => resolve(), { once: true })
        })
        if (lines.length === 0) any.throwIfAborted()
      }
      return (lines.shift() ?? '').trim()
    } finally {
      isMuted = true
      wake = undefined
      if (muted || isWaiting) io.stderr.write('\n')
    }
  }
  return {
    text: (question) => ask(`${question}: `, false),
    secret: (question) => ask(`${question} (not shown): `, true),
    async choice(question, choices) {
      for (;;) {
        const answer = await ask(`${question} (${choices.join(', ')}): `, false)
        const fitting = choices.filter((choice) => choice.startsWith(answer))
        if (choices.includes(answer)) return answer
        if (answer !== '' && fitting.length === 1) return fitting[0] ?? answer
        const near = nearest(answer, choices)
        io.stderr.write(`please type one of them${near === undefined ? '' : `; did you mean ${near}?`}\n`)
      }
    },
    async confirm(question) {
      return /^y(?:es)?$/i.test(await ask(`${question} [y/N] `, false))
    },
    close: () => reader.close(),
  }
}

/**
 * Secrets for the named fields from stdin, a line each; the whole input when there is one field.
 * @throws UserError when stdin is a terminal or holds too few lines
 */
export async function readSecrets(
  io: Pick<Io, 'stdin' | 'stdinIsTerminal'>,
  fields: readonly string[],
): Promise<readonly string[]> {
  if (io.stdinIsTerminal) {
    throw new UserError('--secret-stdin reads the secret from a pipe, and stdin is a terminal', {
      hint: 'leave the option out to be asked for it without echo',
    })
  }
  const parts: Buffer[] = []
  for await (const part of io.stdin) parts.push(Buffer.from(part as Uint8Array | string))
  const text = Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  const values = fields.length === 1 ? [text] : text.split(/\r?\n/)
  if (values.length < fields.length || values.slice(0, fields.length).includes('')) {
    const found = text === '' ? 'nothing' : `${values.filter((value) => value !== '').length} of them`
    throw new UserError(`--secret-stdin ${fields.join(', ')}: stdin held ${found}`, {
      hint: 'send one line for each --secret-stdin, in their order',
    })
  }
  return values.slice(0, fields.length)
}
