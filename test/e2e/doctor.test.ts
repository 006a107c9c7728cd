import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'
import { runProgram } from '../support/program.ts'
import { tempFolder } from '../support/temp-files.ts'

type Line = {
  readonly check: string
  readonly state: string
  readonly message: string
  readonly hint: string | null
}

let sandbox: StartedSandbox
before(async () => {
  sandbox = await startSandbox({
    services: ['splunk'],
    generation: '2026',
    seed: 1,
    recent: true,
    faults: faultPlan(),
    now: () => Date.now(),
  })
})
after(() => sandbox?.close())

function setUp(t: TestContext, config: object) {
  const folder = tempFolder(t)
  const path = join(folder, 'config.json')
  const state = join(folder, 'state')
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return { path, state, env: { AUDITCTL_CONFIG: path, AUDITCTL_STATE_DIR: state } }
}

test('doctor prints the array in a pipe and lines when asked, ends with 0, and leaves nothing behind', async (t) => {
  const { env, state } = setUp(t, sandbox.config)
  const piped = await runProgram(['doctor'], { env })
  assert.deepEqual([piped.code, piped.stderr], [0, ''])
  const lines = piped.json<readonly Line[]>()
  assert.ok(lines.length > 15)
  assert.deepEqual(Object.keys(lines[0] ?? {}), ['check', 'state', 'message', 'hint'])
  assert.ok(!lines.some((line) => line.state === 'failure'))
  const table = await runProgram(['doctor', '-o', 'table'], { env })
  assert.match(table.stdout, /^ok {7}configuration {2,}/)
  assert.equal(existsSync(state), false)
})

test('doctor ends with 3 for whatever is wrong, refused credentials included, and says what to do', async (t) => {
  const config = structuredClone(sandbox.config) as { streams: Record<string, Record<string, unknown>> }
  config.streams['soc'] = { ...config.streams['soc'], token: '00000000-0000-4000-8000-000000000000' }
  const { env } = setUp(t, config)
  const refused = await runProgram(['doctor', '--json'], { env })
  assert.equal(refused.code, 3)
  const failures = refused.json<readonly Line[]>().filter(({ state }) => state === 'failure')
  assert.deepEqual(
    failures.map(({ check }) => check),
    ['stream soc: HEC token'],
  )
  assert.ok(failures.every(({ hint }) => hint !== null))
  const none = await runProgram(['doctor', '--json'], { env: { AUDITCTL_CONFIG: '/nonexistent/c.json' } })
  assert.equal(none.code, 3)
  assert.match(none.stdout, /there is no file \/nonexistent\/c\.json/)
  const typed = await runProgram(['doctor', '--source', 'nope'], { env })
  assert.equal(typed.code, 2)
})

test('doctor sends a canary with --yes only', async (t) => {
  const { env } = setUp(t, sandbox.config)
  const count = () => sandbox.services['splunk']?.receivedIds?.().length ?? 0
  const before = count()
  const asked = await runProgram(['doctor', '--canary', 'soc'], { env })
  assert.deepEqual([asked.code, count()], [2, before])
  const agreed = await runProgram(['doctor', '--canary', 'soc', '--yes', '--json'], { env })
  assert.deepEqual([agreed.code, count()], [0, before + 1])
  assert.match(agreed.stdout, /"check":"stream soc: canary is found","state":"ok"/)
})
