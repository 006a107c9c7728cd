import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Invocation } from '../../../src/cli/invocation.ts'
import { buildProgram } from '../../../src/cli/program.ts'
import { COMMON_OPTIONS, type CommandSpec } from '../../../src/cli/tree/option-specs.ts'
import { COMMANDS } from '../../../src/cli/tree.ts'

async function parse(line: string, env: Record<string, string> = {}): Promise<Invocation['options']> {
  let options: Invocation['options'] | undefined
  const argv = line.split(' ')
  const program = buildProgram({
    argv,
    version: 'test',
    write: () => {},
    env,
    run: async (invocation) => {
      options = invocation.options
    },
  })
  await program.parseAsync(argv, { from: 'user' })
  assert.ok(options !== undefined)
  return options
}

for (const [line, env, name, value] of [
  ['query', { AUDITCTL_SOURCE: 'prod' }, 'source', 'prod'],
  ['query --source typed', { AUDITCTL_SOURCE: 'prod' }, 'source', 'typed'],
  ['--source typed query', { AUDITCTL_SOURCE: 'prod' }, 'source', 'typed'],
  ['query', { AUDITCTL_SOURCE: '' }, 'source', undefined],
  ['query', { AUDITCTL_EVENT: 'a,b' }, 'event', ['a,b']],
  ['query --action x', { AUDITCTL_EVENT: 'a' }, 'event', undefined],
  ['query', { AUDITCTL_QUIET: '1' }, 'quiet', true],
  ['query', { AUDITCTL_QUIET: 'TRUE' }, 'quiet', true],
  ['query', { AUDITCTL_QUIET: '0' }, 'quiet', undefined],
  ['query', { AUDITCTL_QUIET: 'false' }, 'quiet', undefined],
  ['query -v', { AUDITCTL_QUIET: '1' }, 'quiet', undefined],
  ['query', { AUDITCTL_VERBOSE: '2' }, 'verbose', 2],
  ['query', { AUDITCTL_VERBOSE: 'true' }, 'verbose', 1],
  ['query', { AUDITCTL_NO_COLOR: '1' }, 'color', false],
  ['query', { AUDITCTL_NO_COLOR: '0' }, 'color', true],
  ['export --format csv', { AUDITCTL_NO_CSV_GUARD: 'yes' }, 'csvGuard', false],
  ['query -o csv', { AUDITCTL_JSON: '1' }, 'json', undefined],
  ['query --json', { AUDITCTL_OUTPUT: 'csv' }, 'output', undefined],
  ['query --since 2h', { AUDITCTL_FROM: '1h' }, 'from', undefined],
  ['query --in yesterday', { AUDITCTL_FROM: '1h' }, 'from', undefined],
  ['query --in yesterday', { AUDITCTL_TO: '1h' }, 'to', undefined],
  ['query --to 1h', { AUDITCTL_FROM: '2h' }, 'from', '2h'],
  ['query', { AUDITCTL_MAX_RATE: '5/s' }, 'maxRate', '5/s'],
  ['runs show r1', { AUDITCTL_MD: '1' }, 'md', true],
  ['backfill --all', { AUDITCTL_MISSING: '1' }, 'missing', undefined],
] as const) {
  test(`auditctl ${line} with ${JSON.stringify(env)}: ${name} is ${JSON.stringify(value)}`, async () => {
    assert.deepEqual((await parse(line, env))[name], value)
  })
}

for (const [env, said] of [
  [{ AUDITCTL_YES: 'maybe' }, /AUDITCTL_YES: "maybe" is neither on nor off/],
  [{ AUDITCTL_OUTPUT: 'xml' }, /AUDITCTL_OUTPUT: "xml" is not possible/],
] as const) {
  test(`${JSON.stringify(env)} is refused by its name`, async () => {
    await assert.rejects(parse('query', env), said)
  })
}

test('repeated options add up, and switches count', async () => {
  const options = await parse('query --where a=1 --where b=2 -v -v')
  assert.deepEqual([options['where'], options['verbose']], [['a=1', 'b=2'], 2])
})

function helpOf(words: readonly string[]): string {
  let text = ''
  const argv = [...words, '--help']
  const program = buildProgram({
    argv,
    version: 'test',
    env: {},
    run: async () => {},
    write: (more) => {
      text += more
    },
  })
  assert.throws(() => program.parse(argv, { from: 'user' }))
  return text
}

function paths(specs: readonly CommandSpec[], above: readonly string[] = []): readonly (readonly string[])[] {
  return specs.flatMap((spec) => [
    [...above, spec.name],
    ...paths(spec.commands ?? [], [...above, spec.name]),
  ])
}

for (const path of [[], ...paths(COMMANDS)]) {
  test(`auditctl ${[...path, '--help'].join(' ')} ends with examples, exit codes and the environment`, () => {
    const help = helpOf(path)
    const [, examples = '', exits = '', environment = ''] =
      /\nExamples:\n((?: {2}\$ auditctl .*\n)+)\nExit codes:\n((?: {2}\d+ +.*\n)+)\nEnvironment:\n((?: {2}\S.*\n)+)\n*$/.exec(
        help,
      ) ?? []
    assert.ok(examples.split('\n').length > 1, help.slice(-800))
    assert.match(exits, /^ {2}0 +done\n/)
    assert.match(environment, /AUDITCTL_CONFIG/)
    for (const { flags, hidden } of COMMON_OPTIONS)
      assert.equal(help.includes(flags.split(' ')[0]?.replace(',', '') ?? ''), hidden !== true, flags)
  })
}
