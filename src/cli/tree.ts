/** The command tree as data: commander, completion scripts and the manual page are all made from it. */

export type OptionSpec = {
  /** As commander reads it: `-n, --limit <N>`. */
  readonly flags: string
  readonly help: string
  readonly repeatable?: boolean
  readonly choices?: readonly string[]
  /** What a shell completes the value with. */
  readonly completes?: 'source' | 'stream' | 'run' | 'event-type' | 'file' | 'folder'
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

const TIME: readonly OptionSpec[] = [
  { flags: '--from <T>', help: 'start of the window: ISO 8601, a date, 02:10, epoch, 24h (ago), yesterday' },
  { flags: '--to <T>', help: 'end of the window, exclusive (default: now minus the settle time)' },
  { flags: '--since <T>', help: 'same as --from', hidden: true },
  { flags: '--until <T>', help: 'same as --to', hidden: true },
  {
    flags: '--in <P>',
    help: 'a whole period: 2026-Q3, 2026-09, 2026-09-30, yesterday, last-week, last-month',
  },
]

const FILTERS: readonly OptionSpec[] = [
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

const STREAM: OptionSpec = { flags: '--stream <S>', help: 'the configured stream', completes: 'stream' }

const INVENTORY: readonly OptionSpec[] = [
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

const TRAILS = [
  ['secret', 'path', 'a secret or a folder of secrets'],
  ['identity', 'id', 'a user or machine identity: what it did, and what was done to it'],
  ['entity', 'id', 'any object acted on'],
  ['request', 'id', 'one request'],
  ['trace', 'id', 'one trace, with its execution log'],
] as const

const GAP_EXITS = [
  [3, 'gaps were found'],
  [5, 'credentials or permissions refused'],
  [6, 'unreachable, throttled, or not shown complete'],
] as const

const BACKFILL_EXITS = [
  [3, 'verified, and events are still missing; or the probe was not found'],
  [4, 'finished, with events in the dead-letter file'],
  [5, 'credentials or permissions refused'],
  [6, 'unreachable, throttled, or the disk is full'],
  [7, 'whether some events arrived is not known: runs resume settles it'],
  [75, 'another run holds the lock'],
] as const

const SETTINGS_OPTIONS: readonly OptionSpec[] = [
  { flags: '--set <KEY=VALUE>', help: 'a setting, dotted keys; repeatable', repeatable: true },
  {
    flags: '--secret-stdin <FIELD>',
    help: 'read this secret from stdin, a line each; repeatable',
    repeatable: true,
  },
]

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'query',
    summary: 'read events, newest first',
    options: [
      ...TIME,
      ...FILTERS,
      { flags: '-n, --limit <N>', help: 'at most N events' },
      { flags: '--order <O>', help: 'desc (default) or asc', choices: ['asc', 'desc'] },
      { flags: '--sort <FIELD>', help: 'order by another field' },
      { flags: '--fields <A,B>', help: 'columns by dotted path' },
      { flags: '--cursor <C>', help: 'go on where an earlier query stopped' },
      { flags: '-f, --follow', help: 'go on with new events as they appear' },
      { flags: '--interval <D>', help: 'how often --follow looks (default 15s)' },
      { flags: '--no-csv-guard', help: 'do not neutralise cells a spreadsheet would run' },
    ],
    examples: [
      'auditctl query --event get-secret --path /payments --from 7d',
      "auditctl query --actor ada@acme.example --where 'event.metadata.environment=prod' -o jsonl",
      'auditctl query --from 02:10 --to 02:40 --order asc',
    ],
    exits: [
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, or not shown complete'],
    ],
  },
  {
    name: 'export',
    summary: 'write all events of a window, oldest first',
    options: [
      ...TIME,
      ...FILTERS,
      { flags: '--format <F>', help: 'jsonl or csv', choices: ['jsonl', 'csv'] },
      { flags: '--fields <A,B>', help: 'columns by dotted path (csv)' },
      {
        flags: '--out <TARGET>',
        help: 'a file, a folder with a trailing slash, or - for stdout',
        completes: 'file',
      },
      { flags: '--compress <C>', help: 'gzip or zstd', choices: ['gzip', 'zstd'] },
      { flags: '--incremental <NAME>', help: 'go on where the last export of this name stopped' },
      { flags: '--overlap <D>', help: 'how far --incremental looks back for late events (default 10m)' },
      { flags: '--overwrite', help: 'replace an existing target' },
      { flags: '--no-csv-guard', help: 'do not neutralise cells a spreadsheet would run' },
    ],
    examples: [
      'auditctl export --in 2026-Q3 --format jsonl --out audit/ --compress zstd',
      'auditctl export --from 24h --format csv > last-day.csv',
      'auditctl export --incremental nightly --from 2026-11-01 --format jsonl --out archive/',
    ],
    exits: [
      [4, 'finished, without broken input lines'],
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, not shown complete, or the disk is full'],
      [75, 'another export holds the target'],
    ],
  },
  {
    name: 'verify',
    summary: 'are exported files whole and untouched, is a run’s arithmetic right',
    arguments: [
      { name: 'target', help: 'a folder, a manifest.json, a run, or a bucket URL', completes: 'folder' },
    ],
    examples: ['auditctl verify audit/', 'auditctl verify 20261120T021000-4f1c'],
    exits: [[3, 'missing, altered or foreign files, or wrong arithmetic']],
  },
  {
    name: 'trail',
    summary: 'everything that happened to one thing, oldest first',
    commands: TRAILS.map(([name, argument, summary]) => ({
      name,
      summary,
      arguments: [{ name: argument, help: summary }],
      options: [...TIME, ...FILTERS, { flags: '--fields <A,B>', help: 'columns by dotted path' }],
    })),
    examples: [
      'auditctl trail secret /payments/DB_URL --from 7d',
      'auditctl trail identity 77b1c4de-0a0f-4f8e-9d6c-1f4f0b9a2c33',
    ],
    exits: [
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, or not shown complete'],
    ],
  },
  {
    name: 'summary',
    summary: 'how much of what happened',
    options: [
      ...TIME,
      ...FILTERS,
      {
        flags: '--by <KEYS>',
        help: 'action (default), actor, actor-type, outcome, path, project, ip, hour, day; comma-separated',
      },
    ],
    examples: [
      'auditctl summary --from 7d',
      'auditctl summary --from 7d --event get-secret --by actor,day -o csv',
    ],
    exits: [
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, or not shown complete'],
    ],
  },
  {
    name: 'gaps',
    summary: 'find what the SIEM lacks',
    options: [
      ...TIME,
      STREAM,
      ...FILTERS,
      ...INVENTORY,
      {
        flags: '--method <M>',
        help: 'ids (exact, default) or counts (a quick look)',
        choices: ['ids', 'counts'],
      },
      { flags: '--ids-out <FILE>', help: 'write the missing ids, one a line', completes: 'file' },
      { flags: '--from-log <FILE>', help: 'derive the windows from the sender’s own log', completes: 'file' },
      { flags: '--print-query', help: 'print the query to run in the SIEM, and how to feed its result back' },
    ],
    examples: [
      'auditctl gaps --stream soc --from 24h',
      'auditctl gaps --stream soc --in yesterday -o jsonl > gaps.jsonl',
      'auditctl gaps --stream hook --from 24h --inventory ids.txt',
    ],
    exits: GAP_EXITS,
  },
  {
    name: 'backfill',
    summary: 'send what the SIEM lacks, exactly, in the shape the product would have streamed',
    options: [
      ...TIME,
      STREAM,
      ...FILTERS,
      ...INVENTORY,
      { flags: '--missing', help: 'what the inventory lacks (the default where there is one)' },
      { flags: '--all', help: 'the whole window' },
      { flags: '--gaps <FILE>', help: 'the windows of an earlier gaps -o jsonl', completes: 'file' },
      {
        flags: '--late <POLICY>',
        help: 'events outside the accept window',
        choices: ['skip', 'fail', 'restamp', 'archive'],
      },
      { flags: '--mark', help: 'add auditctl: { run, backfilledAt } inside each event' },
      { flags: '--probe', help: 'send one batch, find it, then go on' },
      { flags: '--max-missing <N|P%>', help: 'the fuse: refuse when more is missing (default 50%)' },
      { flags: '--limit <N>', help: 'at most N events, oldest first' },
      { flags: '--dry-run', help: 'send nothing, print the plan' },
      { flags: '--verify', help: 'look until every delivered event is held' },
      { flags: '--new', help: 'start afresh although an earlier run covers this' },
      { flags: '--report <FILE>', help: 'write the JSON report', completes: 'file' },
      { flags: '--report-md <FILE>', help: 'write the incident report', completes: 'file' },
    ],
    examples: [
      'auditctl backfill --stream soc --from 24h --missing --verify',
      'auditctl backfill --stream soc --from 02:10 --to 02:25 --dry-run',
      'auditctl backfill --stream hook --from 7d --all --yes',
    ],
    exits: BACKFILL_EXITS,
  },
  {
    name: 'runs',
    summary: 'the ledger of backfills and exports',
    commands: [
      { name: 'list', summary: 'all runs, newest first' },
      {
        name: 'show',
        summary: 'one run’s report',
        arguments: [{ name: 'run', help: 'run id', completes: 'run' }],
        options: [{ flags: '--md', help: 'as an incident report' }],
      },
      {
        name: 'resume',
        summary: 'finish an interrupted run',
        arguments: [{ name: 'run', help: 'run id', completes: 'run' }],
        options: [{ flags: '--verify', help: 'look until every delivered event is held' }, ...INVENTORY],
        exits: BACKFILL_EXITS,
      },
      {
        name: 'rejects',
        summary: 'the dead letters of a run',
        arguments: [{ name: 'run', help: 'run id', completes: 'run' }],
      },
      {
        name: 'resend',
        summary: 'send the dead letters of a run again',
        arguments: [{ name: 'run', help: 'run id', completes: 'run' }],
        options: [
          {
            flags: '--file <FIXED.jsonl>',
            help: 'lines of `runs rejects` with their event corrected',
            completes: 'file',
          },
          {
            flags: '--late <POLICY>',
            help: 'events outside the accept window',
            choices: ['skip', 'fail', 'restamp', 'archive'],
          },
          { flags: '--verify', help: 'look until every delivered event is held' },
          { flags: '--mark', help: 'add auditctl: { run, backfilledAt } inside each event' },
          ...INVENTORY,
        ],
        exits: BACKFILL_EXITS,
      },
      {
        name: 'prune',
        summary: 'forget finished runs',
        options: [{ flags: '--older-than <D>', help: 'default 90d' }],
      },
    ],
    examples: [
      'auditctl runs list',
      'auditctl runs show 20261120T021000-4f1c',
      'auditctl runs rejects 20261120T021000-4f1c > rejects.jsonl',
    ],
  },
  {
    name: 'remote-export',
    summary: 'exports that the source runs by itself, into a bucket (ScaiVault)',
    commands: [
      {
        name: 'create',
        summary: 'start one, wait for its end, print its manifest',
        options: [
          ...TIME,
          ...FILTERS,
          { flags: '--out <URL>', help: 's3://, gcs:// or azblob://, bucket and prefix' },
          { flags: '--format <F>', help: 'jsonl (default) or csv', choices: ['jsonl', 'csv'] },
          {
            flags: '--credentials-path <SECRET>',
            help: 'the secret of the source that holds the credentials of the bucket',
          },
        ],
      },
      {
        name: 'status',
        summary: 'how far one is, and what it wrote',
        arguments: [{ name: 'id', help: 'its id' }],
      },
      { name: 'list', summary: 'all of them' },
    ],
    examples: [
      'auditctl remote-export create --in 2026-10 --out s3://acme-audit/2026-10/ --credentials-path integrations/aws/audit-export',
      'auditctl verify s3://acme-audit/2026-10/',
    ],
    exits: [
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, or the export failed'],
      [124, 'deadline reached; the export goes on'],
    ],
  },
  {
    name: 'source',
    summary: 'the configured sources',
    commands: [
      {
        name: 'add',
        summary: 'add a source',
        arguments: [{ name: 'name', help: 'its name' }],
        options: [{ flags: '--type <TYPE>', help: 'see `auditctl source types`' }, ...SETTINGS_OPTIONS],
      },
      { name: 'list', summary: 'all sources' },
      {
        name: 'show',
        summary: 'one source',
        arguments: [{ name: 'name', help: 'its name', completes: 'source' }],
      },
      {
        name: 'test',
        summary: 'reachable, credentials accepted, permission to read',
        arguments: [{ name: 'name', help: 'its name', completes: 'source' }],
      },
      {
        name: 'remove',
        summary: 'remove a source',
        arguments: [{ name: 'name', help: 'its name', completes: 'source' }],
      },
      { name: 'types', summary: 'what can be a source' },
    ],
    examples: [
      'auditctl source add prod --type infisical --set url=https://us.infisical.com',
      'auditctl source test prod',
    ],
    exits: [
      [3, 'a check failed'],
      [5, 'credentials or permissions refused'],
    ],
  },
  {
    name: 'stream',
    summary: 'the configured streams',
    commands: [
      {
        name: 'add',
        summary: 'add a stream',
        arguments: [{ name: 'name', help: 'its name' }],
        options: [{ flags: '--provider <P>', help: 'see `auditctl stream types`' }, ...SETTINGS_OPTIONS],
      },
      { name: 'list', summary: 'all streams' },
      {
        name: 'show',
        summary: 'one stream',
        arguments: [{ name: 'name', help: 'its name', completes: 'stream' }],
      },
      {
        name: 'test',
        summary: 'the cheapest honest check; sends no event',
        arguments: [{ name: 'name', help: 'its name', completes: 'stream' }],
        options: [{ flags: '--send', help: 'send one test event' }],
      },
      {
        name: 'remove',
        summary: 'remove a stream',
        arguments: [{ name: 'name', help: 'its name', completes: 'stream' }],
      },
      { name: 'types', summary: 'providers, their limits and late-event rules' },
      {
        name: 'guide',
        summary: 'the set-up, step by step',
        arguments: [{ name: 'provider', help: 'see `auditctl stream types`' }],
      },
      {
        name: 'import',
        summary: 'the streams that the source itself has, so that a backfill matches them',
        arguments: [
          {
            name: 'name',
            help: 'which of them: the provider, its id, or NEW=OLD to rename it (default: all)',
            isVariadic: true,
          },
        ],
        options: SETTINGS_OPTIONS,
        examples: [
          'auditctl stream import --source prod',
          'auditctl stream import --source prod soc=splunk --set token=env:HEC_TOKEN',
        ],
      },
    ],
    examples: [
      'auditctl stream add soc --provider splunk --set url=https://hec.acme.example:8088 --set token=env:HEC_TOKEN',
      'auditctl stream test soc --send',
    ],
    exits: [
      [3, 'a check failed'],
      [5, 'credentials or permissions refused'],
    ],
  },
  {
    name: 'config',
    summary: 'the configuration file',
    commands: [
      { name: 'path', summary: 'where it is' },
      { name: 'validate', summary: 'check every key' },
      {
        name: 'show',
        summary: 'what is in force, secrets as ***',
        options: [{ flags: '--origin', help: 'say where each value comes from' }],
      },
      { name: 'get', summary: 'one value', arguments: [{ name: 'key', help: 'dotted key' }] },
      {
        name: 'set',
        summary: 'change one value',
        arguments: [
          { name: 'key', help: 'dotted key' },
          { name: 'value', help: 'JSON or text' },
        ],
      },
    ],
    examples: ['auditctl config show --origin', 'auditctl config set defaultSource prod'],
  },
  {
    name: 'status',
    summary: 'is each stream keeping up, is the source still talking',
    options: [
      { ...STREAM, repeatable: true },
      { flags: '--window <D>', help: 'how far back to look (default 2h)' },
      { flags: '--max-lag <D>', help: 'exit 3 when a stream lacks an older event' },
      { flags: '--max-source-age <D>', help: 'exit 3 when the source has had no event for so long' },
    ],
    examples: ['auditctl status', 'auditctl status --stream soc --max-lag 15m --max-source-age 2h -q'],
    exits: [
      [3, 'a stream is behind, or the source is silent'],
      [5, 'credentials or permissions refused'],
      [6, 'unreachable, throttled, or not shown complete'],
    ],
  },
  {
    name: 'doctor',
    summary: 'check everything that a run depends on, and say what to do',
    options: [
      {
        flags: '--canary <STREAM>',
        help: 'send one test event, find it again, and time both',
        completes: 'stream',
      },
    ],
    examples: ['auditctl doctor', 'auditctl doctor --canary soc --yes', 'auditctl doctor --json'],
    exits: [[3, 'a check failed']],
  },
  {
    name: 'browse',
    summary: 'look through events, coverage and gaps on a screen of their own; ? lists the keys',
    options: [...TIME, ...FILTERS],
    examples: ['auditctl browse', 'auditctl browse --from 7d --event get-secret,delete-secret'],
    exits: [
      [5, 'credentials or permissions refused'],
      [6, 'the source could not be opened'],
    ],
  },
  {
    name: 'sandbox',
    summary: 'strict servers on loopback, to try everything without risk',
    options: [
      { flags: '--events <N>', help: 'generated events (default: the recorded ones)' },
      { flags: '--seed <N>', help: 'of the generator' },
      { flags: '--generation <G>', help: 'of the Infisical server', choices: ['2025', '2026'] },
      { flags: '--recent', help: 'move the events to a recent window' },
      { flags: '--drop <FROM/TO>', help: 'the outage that the SIEM missed' },
      { flags: '--fault <SPEC>', help: 'service:kind[@N][xTIMES][=VALUE]; repeatable', repeatable: true },
      { flags: '--port <P>', help: 'first port' },
    ],
    examples: ['auditctl sandbox --recent', 'auditctl sandbox --events 100000 --fault splunk:busy@3x2'],
  },
  {
    name: 'demo',
    summary: 'the whole job against the sandbox',
    options: [
      { flags: '--stream <PROVIDER>', help: 'which provider (default splunk)' },
      { flags: '--keep', help: 'leave the sandbox running' },
    ],
    examples: ['auditctl demo', 'auditctl demo --keep'],
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    arguments: [{ name: 'shell', help: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'auditctl completion bash > /etc/bash_completion.d/auditctl',
      'auditctl completion fish | source',
    ],
  },
]
