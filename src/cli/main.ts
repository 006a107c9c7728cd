import { EXIT, type ExitCode, InterruptedError, UserError } from '../core/errors.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'

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
  const version = `auditctl ${VERSION} (${COMMIT}) on Node ${process.version}`
  // Known without the command line's parser, which takes as long to load as all the rest.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version}\n`)
    return EXIT.done
  }
  const { buildProgram } = await import('./program.ts')
  let exitCode: ExitCode = EXIT.done
  let manner = mannerOf(argv, process.env)
  const program = buildProgram({
    argv,
    version,
    write: (text) => process.stdout.write(text),
    env: process.env,
    run: async (invocation) => {
      manner = mannerOfCommand(invocation)
      exitCode = await runCommand(invocation)
    },
  })
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return EXIT.done
    }
    const names = program.commands.map((command) => command.name())
    // commander's own help command knows one word.
    const isHelpOfCommand =
      argv[0] === 'help' && argv.length > 2 && !argv.some((word) => word.startsWith('-'))
    const asked = argv[0] === 'help' ? argv[1] : argv[0]
    const isUnknown = asked !== undefined && !/^(?:-|help$)/.test(asked) && !names.includes(asked)
    // Asked for the help of a command that there is not, commander would give its own, as if all were well.
    const words = isUnknown ? [asked] : isHelpOfCommand ? [...argv.slice(1), '--help'] : argv
    await program.parseAsync([...words], { from: 'user' })
    return exitCode
  } catch (error) {
    if (isQuietExit(error)) return EXIT.done
    return await report(error, manner, argv)
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

/** How an error is told: as one JSON object, with the stack. */
type Manner = { readonly json: boolean; readonly stack: boolean }

function mannerOfCommand(invocation: Invocation): Manner {
  const { options } = invocation
  return {
    json:
      flagOption(invocation, 'json') ||
      textOption(invocation, 'output') === 'json' ||
      textOption(invocation, 'logFormat') === 'json',
    stack: typeof options['verbose'] === 'number' && options['verbose'] > 1,
  }
}

/** The same before the command line was understood: what does not parse is an error as well. */
function mannerOf(argv: readonly string[], env: NodeJS.ProcessEnv): Manner {
  const text = ` ${argv.join(' ')} `
  return {
    json:
      / --json | --log-format[ =]json | (?:-o|--output)[ =]?json /.test(text) ||
      env['AUDITCTL_OUTPUT'] === 'json' ||
      env['AUDITCTL_LOG_FORMAT'] === 'json' ||
      /^(?:1|true|yes|on)$/i.test(env['AUDITCTL_JSON'] ?? ''),
    stack: / -[a-z]*vv/.test(text) || argv.filter((word) => word === '-v' || word === '--verbose').length > 1,
  }
}

async function report(error: unknown, manner: Manner, argv: readonly string[]): Promise<ExitCode> {
  const { reportError } = await import('./report-error.ts')
  const { text, exitCode } = reportError(error, { ...manner, version: VERSION, argv })
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
    const isTold = isQuietExit(caught) || caught instanceof InterruptedError
    const error = runtime.signal.aborted && !isTold ? runtime.signal.reason : caught
    const { reportError } = await import('./report-error.ts')
    const exitCode = isQuietExit(error)
      ? EXIT.done
      : reportError(error, { json: false, stack: false, version: VERSION }).exitCode
    // What ended the command is what the user must hear of, not that the metrics could not be written either.
    await tellMetrics(exitCode).catch((cause: unknown) => {
      runtime.log.warn(`--metrics-file: ${cause instanceof Error ? cause.message : String(cause)}`)
    })
    throw error
  } finally {
    await finish()
  }
}
