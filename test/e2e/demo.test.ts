import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import { startProgram } from '../support/program.ts'
import { idsOf } from '../support/sandbox-process.ts'

/** Object stores are spoken to through the vendors' own packages, which are the user's to install. */
const PEERS: Readonly<Record<string, string>> = {
  s3: '@aws-sdk/client-s3',
  gcs: '@google-cloud/storage',
  'azure-blob': '@azure/storage-blob',
}
const PROVIDERS = Object.keys(SANDBOXES).filter((name) => DESTINATIONS[name] !== undefined)

for (const provider of PROVIDERS) {
  const peer = PEERS[provider]
  const skip = peer !== undefined && !isInstalled(peer) ? `${peer} is not installed` : false
  test(`the demo with ${provider} tells the whole job, counts at the receiver, and leaves nothing behind`, {
    skip,
  }, async (t) => {
    const temporary = mkdtempSync(join(tmpdir(), 'auditctl-demo-test-'))
    t.after(() => rmSync(temporary, { recursive: true, force: true }))
    const { child, ended } = startProgram(['demo', '--stream', provider], {
      env: { TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' },
    })
    const { code, stdout, stderr } = await ended
    assert.equal(code, 0, stderr + stdout)
    const missing = /^\$ auditctl gaps/gm
    for (const said of [
      /An Infisical server holds [\d,]+ recorded audit events/,
      /\$ auditctl query /,
      /\$ auditctl export /,
      /ok: \d+ files?, [\d,]+ events/,
      /\(exit code 3\)/,
      /\$ auditctl backfill .*--missing/,
      /# Counted at the receiver, not from our own report/,
    ])
      assert.match(stdout, said)
    assert.equal(stdout.match(missing)?.length, 2)
    const [, held, all, twice, violations] =
      /now holds ([\d,]+) of ([\d,]+) events, (\d+) of them twice; (\d+) violations/.exec(stdout) ?? []
    assert.ok(held !== undefined && held === all, `${held} of ${all}`)
    assert.deepEqual([twice, violations], ['0', '0'])
    assert.deepEqual(readdirSync(temporary), [])
    assert.deepEqual(childrenOf(child.pid ?? 0), [])
  })
}

test('the demo with --keep leaves the sandbox up until it is told to stop, then nothing', async (t) => {
  const temporary = mkdtempSync(join(tmpdir(), 'auditctl-demo-test-'))
  t.after(() => rmSync(temporary, { recursive: true, force: true }))
  const { child, ended } = startProgram(['demo', '--keep'], {
    env: { TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' },
  })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  while (!text.includes('auditctl runs list')) {
    assert.equal(child.exitCode, null, text)
    await sleep(100)
  }
  const [, infisical = ''] = /^ {2}infisical +(\S+)$/m.exec(text) ?? []
  assert.equal((await fetch(`${infisical}/__emulator/state`)).status, 200)
  // Pasted as they stand into a shell that knows no auditctl.
  const pasted = text.slice(text.indexOf('Try, in another terminal:')).split('\n').slice(1, 4).join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-c', `shopt -s expand_aliases\n${pasted} -o jsonl`])
  assert.equal(idsOf(stdout).length, 20)
  child.kill('SIGINT')
  const { code } = await ended
  assert.equal(code, 0)
  await assert.rejects(fetch(`${infisical}/__emulator/state`))
  assert.deepEqual(readdirSync(temporary), [])
})

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

/** Processes whose parent is this one; only where /proc tells. */
function childrenOf(pid: number): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
}
