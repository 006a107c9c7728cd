import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import { type Invocation, textOption } from './invocation.ts'

declare const AUDITCTL_VERSION: string
declare const AUDITCTL_COMMIT: string
/** Set by the build; from source it says so. */
const VERSION = typeof AUDITCTL_VERSION === 'string' ? AUDITCTL_VERSION : '0.0.0-source'
const COMMIT = typeof AUDITCTL_COMMIT === 'string' ? AUDITCTL_COMMIT : 'source'

/** argv → exit code. Prints at most one error, and leaves nothing open behind. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  // A reader that closes the pipe ends the program quietly; whoever is writing hears of it through Output.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (argv[0] === '__complete') {
    const { completeValues } = await import('./complete-values.ts')
    process.stdout.write(
      (await completeValues(argv[1] ?? '', process.env)).map((word) => `${word}\n`).join(''),
    )
    return EXIT.done
  }
  const { buildProgram } = await import('./program.ts')
  let exitCode: ExitCode = EXIT.done
  const program = buildProgram({
    version: `auditctl ${VERSION} (${COMMIT}) on Node ${process.version}`,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    run: async (invocation) => {
      exitCode = await runCommand(invocation)
    },
  })
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return EXIT.done
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (isQuietExit(error)) return EXIT.done
    return await report(error, argv)
  }
}

/** commander throws for --help and --version too. */
function isQuietExit(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'BrokenPipeError') return true
  return (
    'code' in error &&
    ['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(String(error.code))
  )
}

async function report(error: unknown, argv: readonly string[]): Promise<ExitCode> {
  const { reportError } = await import('./report-error.ts')
  const json =
    argv.includes('--json') || /--log-format[= ]json|--output[= ]json|-o ?json/.test(argv.join(' '))
  const stack =
    argv.some((word) => /^-[a-z]*vv/.test(word)) ||
    argv.filter((word) => word === '-v' || word === '--verbose').length > 1
  const { text, exitCode } = reportError(error, { json, stack, version: VERSION })
  process.stderr.write(text)
  return exitCode
}

async function runCommand(invocation: Invocation): Promise<ExitCode> {
  const [{ RUNNERS }, { startRuntime }] = await Promise.all([
    import('./commands/registry.ts'),
    import('./start-runtime.ts'),
  ])
  const load = RUNNERS[invocation.path[0] ?? '']
  if (load === undefined) throw new UserError(`${invocation.path.join(' ')} is not a command`)
  const run = await load()
  const { runtime, finish } = startRuntime(invocation, VERSION)
  const started = runtime.clock.monotonic()
  const metricsFile = textOption(invocation, 'metricsFile')
  const tellMetrics = async (exitCode: ExitCode): Promise<void> => {
    if (metricsFile === undefined) return
    const { writeMetrics } = await import('./metrics.ts')
    writeMetrics(
      metricsFile,
      invocation.path.join(' '),
      exitCode,
      runtime.clock.monotonic() - started,
      runtime,
    )
  }
  try {
    const exitCode = await run(invocation, runtime)
    await runtime.output.flush()
    await tellMetrics(exitCode)
    return exitCode
  } catch (caught) {
    // A signal or the deadline surfaces as whatever the work in flight threw: the reason says what it was.
    const error = runtime.signal.aborted && !isQuietExit(caught) ? runtime.signal.reason : caught
    const { reportError } = await import('./report-error.ts')
    await tellMetrics(
      isQuietExit(error)
        ? EXIT.done
        : reportError(error, { json: false, stack: false, version: VERSION }).exitCode,
    )
    throw error
  } finally {
    await finish()
  }
}
