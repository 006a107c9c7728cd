import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
/** The built program; the sources where nothing is built yet. */
const ENTRY = existsSync(join(root, 'dist', 'main.js'))
  ? [join(root, 'bin', 'auditctl.js')]
  : [join(root, 'src', 'main.ts')]

export type Ended = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** stdout as one JSON value. */
  json<Value = Record<string, unknown>>(): Value
}

export type Started = {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
}

export type ProgramOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** No file may grow beyond this: what a full disk does, without one. */
  readonly fileLimitKiB?: number
}

/** Starts `auditctl …` without a terminal, with nothing of this process's own configuration. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): Started {
  const limit = options.fileLimitKiB
  // With the signal ignored, writing beyond the limit fails instead of ending the process.
  const [file, before] =
    limit === undefined
      ? [process.execPath, []]
      : ['bash', ['-c', `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`, process.execPath]]
  const child = spawn(file, [...before, ...ENTRY, ...args], {
    cwd: options.cwd ?? root,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)]
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    const text = stdout()
    return {
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: text,
      stderr: stderr(),
      json: <Value>() => JSON.parse(text) as Value,
    }
  })
  return { child, ended, kill: (signal) => void child.kill(signal) }
}

export function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return startProgram(args, options).ended
}

function collected(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}
