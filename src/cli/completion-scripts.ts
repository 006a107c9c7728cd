import { COMMON_OPTIONS, type CommandSpec, type OptionSpec } from './tree/option-specs.ts'
import { COMMANDS } from './tree.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/**
 * The completion script of a shell. It knows commands, options and fixed values by itself; names from the configuration and the ledger
 * (sources, streams, runs, event types) it asks for with the hidden `auditctl __complete KIND`, which reads and never writes.
 */
export function completionScript(shell: Shell): string {
  if (shell === 'bash') return bash()
  return shell === 'zsh' ? zsh() : fish()
}

type Leaf = { readonly path: readonly string[]; readonly spec: CommandSpec }

function leaves(specs: readonly CommandSpec[] = COMMANDS, above: readonly string[] = []): readonly Leaf[] {
  return specs.flatMap((spec) => [
    { path: [...above, spec.name], spec },
    ...leaves(spec.commands ?? [], [...above, spec.name]),
  ])
}

/** `-n, --limit <N>` → `['-n', '--limit']`. */
function namesOf({ flags }: OptionSpec): readonly string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith('-'))
}

function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<')
}

/** How a value is completed: fixed words, a kind to ask for, or files. */
function valuesOf(spec: {
  readonly choices?: readonly string[]
  readonly completes?: OptionSpec['completes']
}): { readonly words?: readonly string[]; readonly ask?: string; readonly files?: 'file' | 'folder' } {
  if (spec.choices !== undefined) return { words: spec.choices }
  if (spec.completes === 'file' || spec.completes === 'folder') return { files: spec.completes }
  return spec.completes === undefined ? {} : { ask: spec.completes }
}

function bashValues(spec: Parameters<typeof valuesOf>[0]): string {
  const { words, ask, files } = valuesOf(spec)
  if (words !== undefined) return `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`
  if (ask !== undefined)
    return `COMPREPLY=($(compgen -W "$(auditctl __complete ${ask} 2>/dev/null)" -- "$cur"))`
  return files === undefined
    ? 'COMPREPLY=()'
    : `COMPREPLY=($(compgen -${files === 'file' ? 'f' : 'd'} -- "$cur"))`
}

function bash(): string {
  const lines = [
    '# bash completion for auditctl, generated from its command tree: do not edit',
    '_auditctl() {',
    '  local cur prev word path i',
    '  COMPREPLY=()',
    `  cur="\${COMP_WORDS[COMP_CWORD]}"`,
    `  prev="\${COMP_WORDS[COMP_CWORD-1]}"`,
    '  # --stream=soc is three words for bash',
    `  if [[ "$cur" == "=" ]]; then cur=""; elif [[ "$prev" == "=" ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi`,
    '  path=""',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    `    word="\${COMP_WORDS[i]}"`,
    '    case "$path $word" in',
    ...leaves().map(
      ({ path }) =>
        `      "${path.slice(0, -1).length === 0 ? '' : path.slice(0, -1).join(' ')} ${path.at(-1)}") path="${path.join(' ')}" ;;`,
    ),
    '    esac',
    '  done',
    '  case "$prev" in',
    ...optionCases(COMMON_OPTIONS),
    '  esac',
    '  case "$path" in',
  ]
  for (const { path, spec } of leaves()) {
    const own = (spec.options ?? []).filter(({ hidden }) => hidden !== true)
    const valued = optionCases(own)
    lines.push(`    "${path.join(' ')}")`)
    if (valued.length > 0)
      lines.push('      case "$prev" in', ...valued.map((line) => `    ${line}`), '      esac')
    const flags = [...own, ...COMMON_OPTIONS].flatMap(namesOf).filter((name) => name.startsWith('--'))
    lines.push(
      `      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '${[...flags, '--help'].join(' ')}' -- "$cur")); return; fi`,
    )
    if (spec.commands !== undefined)
      lines.push(
        `      COMPREPLY=($(compgen -W '${spec.commands.map(({ name }) => name).join(' ')}' -- "$cur"))`,
      )
    else if (spec.arguments?.[0] !== undefined) lines.push(`      ${bashValues(spec.arguments[0])}`)
    lines.push('      ;;')
  }
  lines.push(
    '    *)',
    `      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '${COMMON_OPTIONS.flatMap(namesOf)
      .filter((name) => name.startsWith('--'))
      .join(' ')} --help --version' -- "$cur")); return; fi`,
    `      COMPREPLY=($(compgen -W '${COMMANDS.map(({ name }) => name).join(' ')} help' -- "$cur"))`,
    '      ;;',
    '  esac',
    '}',
    'complete -F _auditctl auditctl',
  )
  return `${lines.join('\n')}\n`
}

function optionCases(options: readonly OptionSpec[]): string[] {
  return options
    .filter(takesValue)
    .map((option) => `    ${namesOf(option).join('|')}) ${bashValues(option)}; return ;;`)
}

function zshValues(spec: Parameters<typeof valuesOf>[0]): string {
  const { words, ask, files } = valuesOf(spec)
  if (words !== undefined) return `(${words.join(' ')})`
  if (ask !== undefined) return `{compadd -- \${(f)"$(auditctl __complete ${ask} 2>/dev/null)"}}`
  return files === undefined ? ' ' : files === 'file' ? '_files' : '_files -/'
}

function zshOption(option: OptionSpec): string[] {
  const help = option.help.replace(/[[\]:']/g, ' ')
  const value = takesValue(option) ? `:value:${zshValues(option)}` : ''
  const star = option.repeatable === true ? '*' : ''
  // `=` takes --stream=soc as well as --stream soc.
  const mark = (name: string): string => (value !== '' && name.startsWith('--') ? '=' : '')
  return namesOf(option).map(
    (name) => `    '${star}${name}${mark(name)}[${help}]${value.replaceAll("'", "'\\''")}' \\`,
  )
}

function zsh(): string {
  const lines = ['#compdef auditctl', '# generated from the command tree: do not edit', '']
  const describe = (name: string, specs: readonly CommandSpec[]): string[] => [
    `_auditctl_${name}_commands() {`,
    '  local -a commands=(',
    ...specs.map((spec) => `    '${spec.name}:${spec.summary.replace(/['’:]/g, ' ')}'`),
    '  )',
    "  _describe 'command' commands",
    '}',
    '',
  ]
  lines.push(...describe('all', COMMANDS))
  for (const spec of COMMANDS)
    if (spec.commands !== undefined) lines.push(...describe(spec.name, spec.commands))
  lines.push(
    '_auditctl() {',
    '  local curcontext="$curcontext" state line',
    '  local -a common',
    '  common=(',
  )
  lines.push(...COMMON_OPTIONS.flatMap(zshOption).map((line) => line.replace(/ \\$/, '')), '  )')
  lines.push(
    "  _arguments -C $common '1:command:_auditctl_all_commands' '*::argument:->rest'",
    '  [[ $state == rest ]] || return',
    '  case $words[1] in',
  )
  for (const spec of COMMANDS) {
    lines.push(`  ${spec.name})`)
    if (spec.commands === undefined) lines.push(...zshLeaf(spec))
    else {
      lines.push(
        `    _arguments -C $common '1:command:_auditctl_${spec.name}_commands' '*::argument:->sub'`,
        '    [[ $state == sub ]] || return',
        '    case $words[1] in',
      )
      for (const child of spec.commands) lines.push(`    ${child.name})`, ...zshLeaf(child), '      ;;')
      lines.push('    esac')
    }
    lines.push('    ;;')
  }
  lines.push('  esac', '}', '', '_auditctl "$@"')
  return `${lines.join('\n')}\n`
}

function zshLeaf(spec: CommandSpec): string[] {
  const own = (spec.options ?? []).filter(({ hidden }) => hidden !== true).flatMap(zshOption)
  const args = (spec.arguments ?? []).map(
    (argument, n) => `    '${n + 1}:${argument.name}:${zshValues(argument).replaceAll("'", "'\\''")}' \\`,
  )
  return ['    _arguments $common \\', ...own, ...args, '    && return']
}

function fish(): string {
  const lines = [
    '# fish completion for auditctl, generated from its command tree: do not edit',
    'complete -c auditctl -f',
  ]
  const top = COMMANDS.map(({ name }) => name).join(' ')
  const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
  for (const spec of COMMANDS)
    lines.push(
      `complete -c auditctl -n "not __fish_seen_subcommand_from ${top}" -a ${spec.name} -d ${quote(spec.summary)}`,
    )
  const option = (spec: OptionSpec, condition: string): string => {
    const words = namesOf(spec).map((name) =>
      name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
    )
    const { words: choices, ask, files } = valuesOf(spec)
    const value = !takesValue(spec)
      ? ''
      : choices !== undefined
        ? ` -x -a ${quote(choices.join(' '))}`
        : ask !== undefined
          ? ` -x -a '(auditctl __complete ${ask} 2>/dev/null)'`
          : files === undefined
            ? ' -x'
            : ' -r -F'
    return `complete -c auditctl ${condition}${words.join(' ')}${value} -d ${quote(spec.help)}`
  }
  for (const spec of COMMON_OPTIONS) lines.push(option(spec, ''))
  for (const { path, spec } of leaves()) {
    const children = spec.commands?.map(({ name }) => name).join(' ')
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
    for (const child of spec.commands ?? [])
      lines.push(
        `complete -c auditctl -n "${seen}; and not __fish_seen_subcommand_from ${children}" -a ${child.name} -d ${quote(child.summary)}`,
      )
    for (const own of spec.options ?? []) if (own.hidden !== true) lines.push(option(own, `-n "${seen}" `))
    const [argument] = spec.arguments ?? []
    if (argument === undefined) continue
    const { words, ask, files } = valuesOf(argument)
    if (words !== undefined) lines.push(`complete -c auditctl -n "${seen}" -a ${quote(words.join(' '))}`)
    if (ask !== undefined)
      lines.push(`complete -c auditctl -n "${seen}" -a '(auditctl __complete ${ask} 2>/dev/null)'`)
    if (files !== undefined) lines.push(`complete -c auditctl -n "${seen}" -F`)
  }
  return `${lines.join('\n')}\n`
}
