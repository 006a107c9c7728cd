import { type CommandSpec, FILTERS, TIME, TRAILS } from './option-specs.ts'

/** Commands that read a source, or what was written from one. */
export const READING_COMMANDS: readonly CommandSpec[] = [
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
        help: 'action (default), actor, actor-type, outcome, path, project, ip, hour, day (of --tz); comma-separated',
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
]
