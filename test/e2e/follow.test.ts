import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Started } from '../support/program.ts'
import { freePort, idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

describe('query --follow', () => {
  let port: number
  let sandbox: SandboxProcess
  before(async () => {
    port = await freePort()
    sandbox = await startSandboxProcess(['--events', '10', '--port', String(port)])
  })
  after(() => sandbox.stop())

  let serial = 0
  async function add(secondsAgo: number, on = sandbox): Promise<string> {
    serial += 1
    const id = createHash('sha256')
      .update(`follow ${serial}`)
      .digest('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
    const event = {
      id,
      createdAt: new Date(Date.now() - secondsAgo * 1000).toISOString(),
      event: { type: 'get-secret', metadata: { secretKey: `K${serial}` } },
      actor: { type: 'user', metadata: { email: 'a@example.test' } },
    }
    await on.admin('events', { events: [event] })
    return id
  }

  function follow(...args: string[]): Started & { readonly seen: () => string } {
    const started = sandbox.start(['query', '--follow', '--interval', '200ms', ...args])
    let text = ''
    started.child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    return { ...started, seen: () => text }
  }
  async function until(what: () => boolean): Promise<void> {
    for (let waited = 0; !what(); waited += 50) {
      assert.ok(waited < 15_000, 'it never came')
      await sleep(50)
    }
  }

  test('shows new events and late ones, each once, hides our own reads, and ends with 130 and one line', async () => {
    const early = await add(30)
    const { seen, child, ended } = follow('--from', '2m')
    await until(() => seen().includes(early))
    const fresh = await add(2)
    await until(() => seen().includes(fresh))
    const late = await add(50)
    await until(() => seen().includes(late))
    await sleep(700)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    assert.equal(code, 130)
    assert.deepEqual(idsOf(stdout), [early, fresh, late])
    assert.match(stderr, /^following from \S+; Ctrl-C ends it\nauditctl: interrupted\n$/)
  })

  test('shows our own reads when they are asked for by name', async () => {
    const { stdout, code } = await follow('--event', 'view-audit-logs', '--from', '10m', '-n', '2').ended
    assert.equal(code, 0)
    assert.equal(idsOf(stdout).length, 2)
  })

  test('with -o json is an event a line, since an envelope would never be closed; -n ends it', async () => {
    const id = await add(20)
    const { stdout, code } = await follow('--from', '25s', '-n', '1', '-o', 'json', '--where', `id=${id}`)
      .ended
    assert.deepEqual([code, idsOf(stdout)], [0, [id]])
  })

  test('an end, another order or a cursor make no sense with it: exit 2', async () => {
    for (const args of [
      ['--to', 'now'],
      ['--sort', 'id'],
      ['--interval', '1ms'],
      ['--in', 'yesterday'],
    ])
      assert.equal((await follow(...args).ended).code, 2)
  })

  test('outlives a restart of the server and the tokens lost with it', async () => {
    const { seen, child, ended } = follow('--from', '1m', '--retries', '0')
    const first = await add(2)
    await until(() => seen().includes(first))
    await sandbox.stop()
    await sleep(600)
    const again = await startSandboxProcess(['--events', '10', '--port', String(port)])
    const second = await add(2, again)
    await until(() => seen().includes(second))
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    await again.stop()
    assert.equal(code, 143)
    assert.deepEqual(idsOf(stdout).slice(-2), [first, second])
    assert.match(stderr, /warning: .*; looking again \(1\)/)
  })
})
