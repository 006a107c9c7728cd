import { PassThrough, Readable } from 'node:stream'
import type { Invocation } from '../../../src/cli/invocation.ts'
import type { Runtime } from '../../../src/cli/runtime.ts'
import { systemClock } from '../../../src/cli/runtime.ts'
import type { HttpClient } from '../../../src/core/http.ts'

export type FakeRuntime = {
  readonly runtime: Runtime
  /** All that was written to stdout, and all lines of the log. */
  stdout(): string
  stderr(): string
  readonly log: string[]
}

/** A Runtime that captures what a command prints. With `keys` stdin is a terminal on which these are typed, one as each question appears. */
export function fakeRuntime(options: {
  readonly env?: Record<string, string | undefined>
  readonly stdin?: string
  readonly keys?: readonly string[]
  readonly isTerminal?: boolean
}): FakeRuntime {
  let stdout = ''
  let stderr = ''
  const log: string[] = []
  const keys = [...(options.keys ?? [])]
  const typed = new PassThrough()
  const screen = new PassThrough()
  screen.on('data', (text: Buffer) => {
    stderr += text.toString()
    const key = /(?:: |\] )$/.test(text.toString()) ? keys.shift() : undefined
    if (key !== undefined) setImmediate(() => typed.write(key))
  })
  const hasKeys = options.keys !== undefined
  const runtime: Runtime = {
    io: {
      stdin: (hasKeys
        ? typed
        : Readable.from([Buffer.from(options.stdin ?? '')])) as unknown as NodeJS.ReadStream,
      stdout: new PassThrough(),
      stderr: screen,
      env: options.env ?? {},
      stdinIsTerminal: hasKeys,
      stdoutIsTerminal: options.isTerminal ?? false,
      stderrIsTerminal: hasKeys,
      columns: 80,
    },
    clock: systemClock,
    log: {
      debug: () => {},
      info: (message) => void log.push(message),
      warn: (message) => void log.push(`warning: ${message}`),
    },
    output: {
      async write(chunk) {
        stdout += chunk.toString()
      },
      async put(bytes) {
        stdout += Buffer.from(bytes).toString()
      },
      flush: async () => {},
    },
    version: 'test',
    signal: new AbortController().signal,
    quiet: false,
    metrics: { streams: [] },
    color: false,
    http: async () => ({}) as HttpClient,
    scratch: () => Promise.reject(new Error('no scratch folder in this test')),
    onExit: () => {},
  }
  return { runtime, stdout: () => stdout, stderr: () => stderr, log }
}

/** A parsed command line: `invocation('source add', ['prod'], { type: 'vault' })`. */
export function invocation(
  path: string,
  args: readonly string[] = [],
  options: Record<string, unknown> = {},
): Invocation {
  return { path: path.split(' '), args, options }
}
