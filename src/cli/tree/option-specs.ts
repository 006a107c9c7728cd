export type OptionSpec = {
  /** As commander reads it: `-n, --limit <N>`. */
  readonly flags: string
  readonly help: string
  readonly repeatable?: boolean
  readonly choices?: readonly string[]
  /** What a shell completes the value with. */
  readonly completes?:
    | 'source'
    | 'stream'
    | 'run'
    | 'event-type'
    | 'source-type'
    | 'provider'
    | 'file'
    | 'folder'
  readonly hidden?: boolean
}

export type ArgumentSpec = {
  readonly name: string
  readonly help: string
  /** Any number of them, none included. */
  readonly isVariadic?: boolean
  readonly completes?: OptionSpec['completes']
  readonly choices?: readonly string[]
}

export type CommandSpec = {
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  readonly commands?: readonly CommandSpec[]
  readonly examples?: readonly string[]
  /** Exit codes beyond 0, 1 and 2 that this command uses, with their meaning here. */
  readonly exits?: readonly (readonly [number, string])[]
}

export const TIME: readonly OptionSpec[] = [
  { flags: '--from <T>', help: 'start of the window: ISO 8601, a date, 02:10, epoch, 24h (ago), yesterday' },
  { flags: '--to <T>', help: 'end of the window, exclusive (default: now minus the settle time)' },
  { flags: '--since <T>', help: 'same as --from', hidden: true },
  { flags: '--until <T>', help: 'same as --to', hidden: true },
  {
    flags: '--in <P>',
    help: 'a whole period: 2026-Q3, 2026-09, 2026-09-30, yesterday, last-week, last-month',
  },
]

export const FILTERS: readonly OptionSpec[] = [
  {
    flags: '--event <TYPE>',
    help: 'event type; repeatable, comma-separated',
    repeatable: true,
    completes: 'event-type',
  },
  {
    flags: '--action <TYPE>',
    help: 'same as --event',
    repeatable: true,
    hidden: true,
    completes: 'event-type',
  },
  { flags: '--actor <WHO>', help: 'actor id, or its email or name' },
  { flags: '--actor-type <TYPE>', help: 'user, identity, service, …' },
  { flags: '--project <ID>', help: 'project id' },
  { flags: '--environment <E>', help: 'environment slug' },
  { flags: '--path <PREFIX>', help: 'secret path, by whole segments' },
  { flags: '--key <NAME>', help: 'secret key' },
  { flags: '--entity <ID>', help: 'id of the object acted on' },
  { flags: '--model <M>', help: 'kind of the object acted on' },
  { flags: '--ip <ADDR>', help: 'IP address of the actor' },
  { flags: '--user-agent-type <T>', help: 'web, cli, k8-operator, terraform, …' },
  { flags: '--request-id <ID>', help: 'request id' },
  {
    flags: '--outcome <O>',
    help: 'success or failure, where the source records it',
    choices: ['success', 'failure'],
  },
  {
    flags: '--where <EXPR>',
    help: 'any field: a.b=c, a.b!=c, a.b~regex, a.b>5; repeatable',
    repeatable: true,
  },
  { flags: '--explain', help: 'print the plan and read nothing' },
]

export const STREAM: OptionSpec = {
  flags: '--stream <S>',
  help: 'the configured stream',
  completes: 'stream',
}

export const INVENTORY: readonly OptionSpec[] = [
  {
    flags: '--inventory <FILE>',
    help: 'ids the SIEM holds, from a file (- for stdin): ids, JSONL or CSV',
    completes: 'file',
  },
  { flags: '--inventory-field <PATH>', help: 'where the id stands in its rows' },
  { flags: '--inventory-window <FROM/TO>', help: 'the window that the file covers' },
]

/** Understood by every command, before or after its name. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--source <S>', help: 'the configured source', completes: 'source' },
  { flags: '--config <FILE>', help: 'configuration file', completes: 'file' },
  {
    flags: '-o, --output <FORMAT>',
    help: 'table, json, jsonl or csv',
    choices: ['table', 'json', 'jsonl', 'csv'],
  },
  { flags: '--json', help: 'same as -o json' },
  { flags: '--shape <SHAPE>', help: 'native, stream or common', choices: ['native', 'stream', 'common'] },
  { flags: '--settle <D>', help: 'how old an event must be to be judged (default 60s)' },
  { flags: '--concurrency <N>', help: 'requests to the source at once' },
  { flags: '--max-rate <N/s>', help: 'events delivered a second, at most' },
  { flags: '--timeout <D>', help: 'of one request' },
  { flags: '--retries <N>', help: 'of one request' },
  { flags: '--deadline <D>', help: 'of the whole command; ends it in an orderly way' },
  { flags: '--wait', help: 'wait for the lock of a running run' },
  { flags: '-q, --quiet', help: 'no progress, no logs, and no report on exit 0' },
  { flags: '-v, --verbose', help: 'say more; repeatable', repeatable: true },
  { flags: '--log-format <F>', help: 'text or json', choices: ['text', 'json'] },
  { flags: '--no-progress', help: 'no progress' },
  { flags: '--no-color', help: 'no colour' },
  { flags: '--tz <ZONE>', help: 'zone of dates and clock times (default UTC)' },
  { flags: '--time <HOW>', help: 'utc, local or relative, in tables', choices: ['utc', 'local', 'relative'] },
  {
    flags: '--metrics-file <FILE>',
    help: 'write Prometheus text for the textfile collector',
    completes: 'file',
  },
  { flags: '--yes', help: 'answer every question with yes' },
  { flags: '--strict', help: 'a broken input line ends the command' },
]

export const TRAILS = [
  ['secret', 'path', 'a secret or a folder of secrets'],
  ['identity', 'id', 'a user or machine identity: what it did, and what was done to it'],
  ['entity', 'id', 'any object acted on'],
  ['request', 'id', 'one request'],
  ['trace', 'id', 'one trace, with its execution log'],
] as const

export const GAP_EXITS = [
  [3, 'gaps were found'],
  [5, 'credentials or permissions refused'],
  [6, 'unreachable, throttled, or not shown complete'],
] as const

export const BACKFILL_EXITS = [
  [3, 'verified, and events are still missing; or the probe was not found'],
  [4, 'finished, with events in the dead-letter file'],
  [5, 'credentials or permissions refused'],
  [6, 'unreachable, throttled, or the disk is full'],
  [7, 'whether some events arrived is not known: runs resume settles it'],
  [75, 'another run holds the lock'],
] as const

export const SETTINGS_OPTIONS: readonly OptionSpec[] = [
  { flags: '--set <KEY=VALUE>', help: 'a setting, dotted keys; repeatable', repeatable: true },
  {
    flags: '--secret-stdin <FIELD>',
    help: 'read this secret from stdin, a line each; repeatable',
    repeatable: true,
  },
]
