import { Command, CommanderError, Option } from 'commander'
import { withEnvironment } from './environment-options.ts'
import type { Invocation } from './invocation.ts'
import { COMMON_OPTIONS, type CommandSpec, type OptionSpec } from './tree/option-specs.ts'
import { COMMANDS } from './tree.ts'

const EXIT_LINES = [
  [0, 'done'],
  [1, 'a bug or an unforeseen failure'],
  [2, 'usage or configuration error; nothing was sent'],
] as const

const ENVIRONMENT = [
  ['AUDITCTL_CONFIG', 'configuration file'],
  ['AUDITCTL_STATE_DIR', 'ledger, spool and dead letters'],
  ['AUDITCTL_<OPTION>', 'any option, e.g. AUDITCTL_SOURCE=prod'],
  ['INFISICAL_API_URL, INFISICAL_TOKEN, …', 'a source named env, without a file'],
  ['NO_COLOR, HTTPS_PROXY, NO_PROXY', 'as everywhere'],
] as const

/**
 * The command line as commander understands it. `run` is called with what was parsed; everything it needs beyond that is imported there.
 * Usage errors surface as CommanderError, for `main` to turn into exit code 2.
 */
export function buildProgram(options: {
  /** What will be parsed. Commands that no word names are known by name and summary alone: making them whole takes longer than help itself. */
  readonly argv: readonly string[]
  readonly version: string
  readonly run: (invocation: Invocation) => Promise<void>
  readonly write: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
}): Command {
  const program = new Command('auditctl')
  const configure = (command: Command): void => {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .showSuggestionAfterError(true)
      // A group without a command prints its help: that was asked for in a way, so it goes where help goes.
      .configureOutput({ writeOut: options.write, writeErr: options.write, outputError: () => {} })
      .configureHelp({ showGlobalOptions: true, optionDescription: describeOption })
  }
  configure(program)
  program
    .description(
      'Query, export, compare and backfill audit logs, so that the SIEM holds every event exactly once',
    )
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help of a command')
  for (const option of COMMON_OPTIONS) program.addOption(optionOf(option))
  const add = (parent: Command, spec: CommandSpec, path: readonly string[], above?: CommandSpec): void => {
    const command = parent.command(spec.name).description(spec.summary)
    configure(command)
    for (const argument of spec.arguments ?? [])
      command.argument(argument.isVariadic ? `[${argument.name}...]` : `<${argument.name}>`, argument.help)
    const isNamed = options.argv.includes(path[0] ?? '')
    // The list of commands says of each whether it has options: one is enough.
    for (const option of spec.options?.slice(0, isNamed ? undefined : 1) ?? [])
      command.addOption(optionOf(option))
    if (!isNamed) return
    for (const child of spec.commands ?? []) add(command, child, [...path, child.name], spec)
    if (spec.commands === undefined) {
      command.action((...words: unknown[]) => {
        const args = words.slice(0, spec.arguments?.length ?? 0).flat() as string[]
        const given = command.optsWithGlobals()
        const typed = new Set(
          Object.keys(given).filter((key) => command.getOptionValueSourceWithGlobals(key) === 'cli'),
        )
        const specs = [...COMMON_OPTIONS, ...(spec.options ?? [])]
        return options.run({ path, args, options: withEnvironment(specs, given, typed, options.env), typed })
      })
    }
    command.addHelpText('after', () =>
      helpTail({ ...spec, examples: spec.examples ?? above?.examples, exits: spec.exits ?? above?.exits }),
    )
  }
  for (const spec of COMMANDS) add(program, spec, [spec.name])
  program.addHelpText('after', () =>
    helpTail({
      examples: [
        'auditctl query --from 24h --event get-secret',
        'auditctl gaps --stream soc --from 24h',
        'auditctl backfill --stream soc --from 24h --missing --verify',
      ],
      exits: [
        [3, 'gaps, or events still missing'],
        [4, 'finished, some events not delivered'],
        [5, 'credentials refused'],
        [6, 'remote or disk failure'],
        [7, 'unresolved deliveries'],
        [75, 'locked by another run'],
        [124, 'deadline reached'],
        [130, 'interrupted'],
        [143, 'terminated'],
      ],
    }),
  )
  return program
}

export { CommanderError }

/** Choices are said once, by commander or by the help text itself. */
function describeOption(option: Option): string {
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`
  return option.description.includes(option.argChoices?.[0] ?? '\0')
    ? option.description
    : option.description + choices
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.help)
  if (spec.choices !== undefined) option.choices([...spec.choices])
  if (spec.hidden === true) option.hideHelp()
  if (spec.repeatable === true) {
    const isFlag = !spec.flags.includes('<')
    if (isFlag) option.argParser((_value: string, previous: number | undefined) => (previous ?? 0) + 1)
    else
      option.argParser((value: string, previous: readonly string[] | undefined) => [
        ...(previous ?? []),
        value,
      ])
  }
  return option
}

function helpTail(spec: {
  readonly examples?: CommandSpec['examples'] | undefined
  readonly exits?: CommandSpec['exits'] | undefined
}): string {
  const lines: string[] = []
  if (spec.examples !== undefined && spec.examples.length > 0) {
    lines.push('', 'Examples:', ...spec.examples.map((example) => `  $ ${example}`))
  }
  lines.push(
    '',
    'Exit codes:',
    ...[...EXIT_LINES, ...(spec.exits ?? [])].map(([code, text]) => `  ${String(code).padEnd(4)} ${text}`),
  )
  lines.push('', 'Environment:', ...ENVIRONMENT.map(([name, text]) => `  ${name.padEnd(38)} ${text}`))
  return `${lines.join('\n')}\n`
}
