import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { configCommand } from '../../../src/cli/commands/config.ts'
import { sourceCommand } from '../../../src/cli/commands/source.ts'
import { streamCommand } from '../../../src/cli/commands/stream.ts'
import { tempFolder } from '../config/temp-folder.ts'
import { fakeRegistries } from './fake-definitions.ts'
import { fakeRuntime, invocation } from './fake-runtime.ts'

const COMMANDS = { source: sourceCommand, stream: streamCommand, config: configCommand }
export const VAULT = {
  type: 'vault',
  url: 'https://v.example',
  auth: { method: 'token', token: 'hunter2-secret' },
}
export const SIEM = { provider: 'siem', url: 'https://s.example', token: 'env:HEC_TOKEN' }

/** A command against a configuration file of its own. */
export function setUp(t: TestContext, config?: object) {
  const path = join(tempFolder(t), 'auditctl', 'config.json')
  const { registries, world } = fakeRegistries()
  const run = async (
    line: string,
    args: readonly string[] = [],
    options: Record<string, unknown> = {},
    terminal: Omit<Parameters<typeof fakeRuntime>[0], 'env'> & { env?: Record<string, string> } = {},
  ) => {
    const fake = fakeRuntime({ ...terminal, env: { AUDITCTL_CONFIG: path, ...terminal.env } })
    const command = COMMANDS[line.split(' ')[0] as keyof typeof COMMANDS]
    const exitCode = await command(invocation(line, args, options), fake.runtime, { registries })
    return { exitCode, stdout: fake.stdout(), stderr: fake.stderr(), log: fake.log.join('\n') }
  }
  const written = () => JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>
  const write = (value: object) =>
    writeFileSync(path, JSON.stringify({ version: 1, ...value }), { mode: 0o600 })
  const ready = async () => {
    // Makes the folder in the way a person would.
    await run('source add', ['seed'], {
      type: 'vault',
      set: ['url=https://x', 'auth.method=token', 'auth.token=env:X'],
    })
    if (config !== undefined) write(config)
  }
  return { path, world, run, written, write, ready }
}
