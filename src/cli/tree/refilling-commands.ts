import {
  BACKFILL_EXITS,
  type CommandSpec,
  FILTERS,
  GAP_EXITS,
  INVENTORY,
  STREAM,
  TIME,
} from './option-specs.ts'

/** Commands that compare and deliver, and the ledger of what they did. */
export const REFILLING_COMMANDS: readonly CommandSpec[] = [
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
]
