import { type CommandSpec, FILTERS, SETTINGS_OPTIONS, STREAM, TIME } from './option-specs.ts'

/** Commands that set up, watch, browse and try. */
export const TENDING_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'source',
    summary: 'the configured sources',
    commands: [
      {
        name: 'add',
        summary: 'add a source',
        arguments: [{ name: 'name', help: 'its name' }],
        options: [
          { flags: '--type <TYPE>', help: 'see `auditctl source types`', completes: 'source-type' },
          ...SETTINGS_OPTIONS,
        ],
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
        options: [
          { flags: '--provider <P>', help: 'see `auditctl stream types`', completes: 'provider' },
          ...SETTINGS_OPTIONS,
        ],
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
        options: [{ flags: '--send', help: 'send a test event (xsiam: three in one request)' }],
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
        arguments: [{ name: 'provider', help: 'see `auditctl stream types`', completes: 'provider' }],
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
        help: 'send one to three test events, find them again, and time both',
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
      {
        flags: '--with <SERVICES>',
        help: 'serve these besides Infisical and Splunk: all, or names such as scaivault,circleci,s3',
      },
      {
        flags: '--generation <G>',
        help: 'of the Infisical and InfraKitchen servers',
        choices: ['2025', '2026'],
      },
      { flags: '--recent', help: 'move the events to a recent window' },
      { flags: '--drop <FROM/TO>', help: 'the outage that the SIEM missed' },
      { flags: '--fault <SPEC>', help: 'service:kind[@N][xTIMES][=VALUE]; repeatable', repeatable: true },
      { flags: '--port <P>', help: 'first port' },
    ],
    examples: [
      'auditctl sandbox --recent',
      'auditctl sandbox --with scaivault,infrakitchen,circleci',
      'auditctl sandbox --events 100000 --fault splunk:busy@3x2',
    ],
  },
  {
    name: 'demo',
    summary: 'the whole job against the sandbox',
    options: [
      { flags: '--stream <PROVIDER>', help: 'which provider (default splunk)', completes: 'provider' },
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
