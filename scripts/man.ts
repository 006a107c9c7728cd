import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMON_OPTIONS, type CommandSpec, type OptionSpec } from '../src/cli/tree/option-specs.ts'
import { COMMANDS } from '../src/cli/tree.ts'

/** Options that so many commands have are explained once, in a section of their own. */
const SHARED_BY = 5

const EXITS: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'Done; for gaps: no gap.'],
  ['1', 'A bug or an unforeseen failure; the message says how to report it.'],
  ['2', 'Usage or configuration error, or a guard refused; nothing was sent.'],
  [
    '3',
    'The answer is no: gaps, events still missing, a stream behind, files altered, a check of doctor that failed.',
  ],
  ['4', 'Finished, but some events were not delivered: see the dead-letter file.'],
  ['5', 'The remote refused the credentials or permissions.'],
  [
    '6',
    'The remote could not be reached, kept failing or throttling, or could not be shown complete; or the local disk failed. Run it again.',
  ],
  ['7', 'Whether some events arrived could not be established; runs resume settles it.'],
  ['75', 'Another run holds the lock.'],
  ['124', 'The deadline was reached; resumable.'],
  ['130, 143', 'Interrupted by SIGINT or SIGTERM; resumable.'],
]

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['AUDITCTL_CONFIG', 'The configuration file.'],
  ['AUDITCTL_STATE_DIR', 'The folder of the ledger, spool and dead letters; it must survive restarts.'],
  [
    'AUDITCTL_<OPTION>',
    'Any option: AUDITCTL_SOURCE=prod is --source prod. What is typed comes before it, the file after it.',
  ],
  [
    'INFISICAL_API_URL, INFISICAL_TOKEN, INFISICAL_UNIVERSAL_AUTH_CLIENT_ID, INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET',
    'A source named env, without a file.',
  ],
  ['SCAIVAULT_URL, SCAIVAULT_TOKEN, SCAIVAULT_TENANT_ID', 'A source named env-scaivault, without a file.'],
  ['HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY', 'As everywhere; loopback is always reached directly.'],
  ['NO_COLOR, FORCE_COLOR', 'As everywhere.'],
]

const FILES: readonly (readonly [path: string, meaning: string])[] = [
  ['~/.config/auditctl/config.json', 'Sources and streams; mode 0600. $XDG_CONFIG_HOME is honored.'],
  ['~/.local/state/auditctl', 'Ledger, spool and dead letters; mode 0700. $XDG_STATE_HOME is honored.'],
]

/** auditctl(1) in the man macros that groff and mandoc share, made from the command tree. */
export function manPage(): string {
  const shared = sharedOptions()
  return `${[
    '.\\" Generated from the command tree: do not edit.',
    '.TH AUDITCTL 1 "" "auditctl" "User Commands"',
    '.SH NAME',
    'auditctl \\- query, export, compare and backfill audit logs',
    '.SH SYNOPSIS',
    '.B auditctl',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    escaped(
      'auditctl reads audit events from the APIs and archives of their products, compares them with what a SIEM holds, and sends what it lacks, in the shape the product would have streamed, so that the SIEM holds every event exactly once.',
    ),
    '.PP',
    escaped(
      'Standard output carries data only; progress, logs, hints and errors go to standard error. Without a terminal nothing is ever asked. A window is half-open, [from, to), and in UTC unless --tz says otherwise.',
    ),
    '.SH COMMANDS',
    ...COMMANDS.flatMap((spec) => commandPart(spec, [spec.name], shared)),
    '.SH TIME AND FILTERS',
    'Understood by the commands that say so above.',
    ...[...shared].flatMap(optionPart),
    '.SH COMMON OPTIONS',
    'Understood by every command, before or after its name.',
    ...COMMON_OPTIONS.flatMap(optionPart),
    ...termSection('EXIT STATUS', EXITS),
    ...termSection('ENVIRONMENT', ENVIRONMENT),
    ...termSection('FILES', FILES),
    '.SH SEE ALSO',
    escaped(
      'auditctl COMMAND --help prints the same for one command; auditctl doctor looks at a set-up and says what to do.',
    ),
  ].join('\n')}\n`
}

function commandPart(spec: CommandSpec, path: readonly string[], shared: ReadonlySet<OptionSpec>): string[] {
  const lines: string[] = []
  if (spec.commands === undefined || path.length === 1) {
    const words = (spec.arguments ?? []).map(({ name, isVariadic }) =>
      isVariadic === true ? `[${name.toUpperCase()}...]` : name.toUpperCase(),
    )
    const own = (spec.options ?? []).filter((option) => option.hidden !== true && !shared.has(option))
    lines.push(`.SS ${quoted(['auditctl', ...path, ...words].join(' '))}`, escaped(sentence(spec.summary)))
    if (spec.options?.some((option) => shared.has(option)) === true) {
      lines.push(escaped('It takes the time and filter options as well.'))
    }
    lines.push(...own.flatMap(optionPart))
  }
  lines.push(...(spec.commands ?? []).flatMap((child) => commandPart(child, [...path, child.name], shared)))
  if (spec.examples !== undefined) {
    lines.push('.PP', 'Examples:', '.PP', '.nf', '.RS')
    lines.push(...spec.examples.map(escaped), '.RE', '.fi')
  }
  return lines
}

function optionPart({ flags, help, choices }: OptionSpec): string[] {
  const named = choices?.every((choice) => help.includes(choice)) === true
  const allowed = choices === undefined || named ? '' : ` (${choices.join(', ')})`
  return ['.TP', `.B ${escaped(flags)}`, escaped(`${help}${allowed}`)]
}

function termSection(title: string, terms: readonly (readonly [string, string])[]): string[] {
  return [`.SH ${title}`, ...terms.flatMap(([term, text]) => ['.TP', `.B ${escaped(term)}`, escaped(text)])]
}

function sharedOptions(): ReadonlySet<OptionSpec> {
  const counts = new Map<OptionSpec, number>()
  const count = (spec: CommandSpec): void => {
    for (const option of spec.options ?? []) {
      if (option.hidden !== true) counts.set(option, (counts.get(option) ?? 0) + 1)
    }
    spec.commands?.forEach(count)
  }
  COMMANDS.forEach(count)
  return new Set([...counts].filter(([, times]) => times >= SHARED_BY).map(([option]) => option))
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}`
}

/** Text as roff takes it: no control lines, hyphens that can be searched for and pasted, ASCII throughout. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(
      /[^\x20-\x7e]/gu,
      (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`
}

// Writes man/auditctl.1; with --check it only says whether it is up to date.
if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'man', 'auditctl.1')
  const text = manPage()
  if (process.argv.includes('--check')) {
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      process.stderr.write('out of date: man/auditctl.1; run npm run man\n')
      process.exitCode = 1
    }
  } else {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
}
