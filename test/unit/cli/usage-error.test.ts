import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildProgram } from '../../../src/cli/program.ts'
import { reportError } from '../../../src/cli/report-error.ts'

/** What a command line that does not parse is told. */
async function told(line: string, json = false): Promise<string> {
  const argv = line.split(' ')
  const program = buildProgram({
    ...{ argv, version: 'test', env: {}, write: () => {} },
    run: () => assert.fail('it was run'),
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    const { text, exitCode } = reportError(error, { json, stack: false, version: 'test', argv })
    assert.equal(exitCode, 2)
    return text
  }
  return assert.fail('it was understood')
}

describe('a command line that does not parse is told', () => {
  for (const [line, message, hint] of [
    ['gapz', "unknown command 'gapz'", 'did you mean gaps?'],
    ['gaps --strem soc', "unknown option '--strem'", 'did you mean --stream?'],
    ['runs lst', "unknown command 'lst'", 'did you mean list?'],
    ['runs show', 'runs show needs an argument: <run>', 'see auditctl runs show --help'],
    ['query -o jsn', '--output: "jsn" is not one of table, json, jsonl, csv', 'did you mean json?'],
    [
      'query -o xyzzy',
      '--output: "xyzzy" is not one of table, json, jsonl, csv',
      'see auditctl query --help',
    ],
    ['backfill --late skp', '--late: "skp" is not one of skip, fail, restamp, archive', 'did you mean skip?'],
    ['query --from', '--from needs a value: --from <T>', 'see auditctl query --help'],
    ['gaps foo', 'gaps takes no argument, and was given: foo', 'see auditctl gaps --help'],
    ['runs show a b', 'runs show takes one argument, and was given: a, b', 'see auditctl runs show --help'],
  ] as const) {
    test(`${line}: ${message}`, async () => {
      assert.equal(await told(line), `auditctl: ${message}\nhint: ${hint}\n`)
    })
  }

  test('as one JSON object too', async () => {
    const { error } = JSON.parse(await told('gaps --strem soc', true)) as { error: object }
    assert.deepEqual(error, {
      ...{ code: 'usage', message: "unknown option '--strem'", hint: 'did you mean --stream?', exitCode: 2 },
    })
  })
})
