import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { durationOf } from '../core/duration.ts'
import type { HttpClient } from '../core/http.ts'
import { countOption, timeoutOf } from './flags.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import { createLog, type LogLevel } from './log.ts'
import { outputTo } from './output.ts'
import { clearProgress } from './progress-line.ts'
import { type Io, type Runtime, systemClock, watchSignals } from './runtime.ts'

/** The Runtime of a command, from its flags and the process. `finish` closes what it opened. */
export function startRuntime(
  invocation: Invocation,
  version: string,
): { readonly runtime: Runtime; finish(): Promise<void> } {
  const deadline = textOption(invocation, 'deadline')
  const signals = watchSignals(deadline === undefined ? undefined : durationOf(deadline, '--deadline'))
  const io = processIo()
  const cleaners: (() => Promise<void> | void)[] = []
  const quiet = flagOption(invocation, 'quiet')
  const log = createLog({
    level: logLevel(invocation),
    json: textOption(invocation, 'logFormat') === 'json',
    write: (text) => io.stderr.write(text),
    clock: systemClock,
    before: () => clearProgress(io),
  })
  let http: Promise<HttpClient> | undefined
  const runtime: Runtime = {
    io,
    clock: systemClock,
    log,
    output: outputTo(io.stdout, io.stdoutIsTerminal),
    version,
    signal: signals.signal,
    quiet,
    metrics: { streams: [] },
    color: wantsColor(invocation, io),
    http() {
      http ??= import('../http/client.ts').then(({ createHttpClient }) => {
        const timeoutMs = timeoutOf(invocation)
        const retries = countOption(invocation, 'retries', 0)
        const client = createHttpClient({
          clock: systemClock,
          log,
          env: io.env,
          version,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          ...(retries === undefined ? {} : { retries }),
        })
        cleaners.push(() => client.close())
        return client
      })
      return http
    },
    async scratch() {
      const folder = await mkdtemp(join(tmpdir(), 'auditctl-'))
      cleaners.push(() => rm(folder, { recursive: true, force: true }))
      return folder
    },
    onExit: (clean) => cleaners.push(clean),
  }
  return {
    runtime,
    async finish() {
      clearProgress(io)
      for (const clean of cleaners.reverse()) {
        try {
          await clean()
        } catch (error) {
          // The rest is closed all the same, and the command's own end is what counts.
          log.debug(`closing failed: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      signals.stop()
    },
  }
}

function processIo(): Io {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    stdinIsTerminal: process.stdin.isTTY === true,
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    // A terminal that does not know its width says 0.
    columns: process.stdout.columns || process.stderr.columns || 80,
  }
}

function logLevel(invocation: Invocation): LogLevel {
  if (flagOption(invocation, 'quiet')) return 0
  const verbose = invocation.options['verbose']
  return typeof verbose === 'number' ? (verbose > 1 ? 3 : 2) : 1
}

/** Off for non-empty NO_COLOR, TERM=dumb, `--no-color` or no terminal; FORCE_COLOR turns it on. */
function wantsColor(invocation: Invocation, io: Io): boolean {
  if (invocation.options['color'] === false) return false
  if ((io.env['NO_COLOR'] ?? '') !== '') return false
  if ((io.env['FORCE_COLOR'] ?? '') !== '' && io.env['FORCE_COLOR'] !== '0') return true
  return io.stdoutIsTerminal && io.env['TERM'] !== 'dumb'
}
