import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

type Envelope = {
  readonly events: readonly { readonly id: string; readonly createdAt: string }[]
  readonly nextCursor: string | null
}

// 1,200 events of which 700 lie on one microsecond and are listed in shifting order: a cursor made of offsets would lose some.
describe('query, page after page, each in a process of its own', () => {
  let sandbox: SandboxProcess
  before(async () => {
    sandbox = await startSandboxProcess([
      ...['--events', '1200', '--recent', '--seed', '5', '--fault', 'infisical:ties=700/1'],
    ])
  })
  after(() => sandbox.stop())

  const window = ['--from', '3h', '--where', 'event.type!=view-audit-logs']

  for (const order of ['desc', 'asc'] as const) {
    test(`the cursor in ${order} order yields every event exactly once, thousands on one instant`, async () => {
      const whole = await sandbox.run(['query', ...window, '--order', order])
      assert.equal(whole.code, 0, whole.stderr)
      const expected = idsOf(whole.stdout)
      assert.equal(expected.length, 1200)
      const paged: string[] = []
      let args: readonly string[] = [...window, '--order', order, '-n', '230']
      for (let page = 0; page < 10; page += 1) {
        const ended = await sandbox.run(['query', ...args, '-o', 'json'])
        assert.equal(ended.code, 0, ended.stderr)
        const { events, nextCursor } = ended.json<Envelope>()
        paged.push(...events.map(({ id }) => id))
        if (nextCursor === null) break
        assert.equal(events.length, 230)
        assert.match(ended.stderr, /there are more events than the 230 shown\nnext: auditctl query --cursor /)
        args = ['--cursor', nextCursor]
      }
      assert.deepEqual(paged, expected)
    })
  }

  test('events that arrive between the pages neither repeat nor hide any other', async () => {
    const first = await sandbox.run(['query', ...window, '-n', '500', '-o', 'json'])
    const { events, nextCursor } = first.json<Envelope>()
    // One newer than all pages, one on the very millisecond where the page ended.
    const last = events.at(-1)
    await sandbox.admin('events', { count: 1 })
    const rest = await sandbox.run(['query', '--cursor', nextCursor ?? '', '-n', '5000', '-o', 'json'])
    const ids = [...events, ...rest.json<Envelope>().events].map(({ id }) => id)
    assert.equal(ids.length, 1200)
    assert.equal(new Set(ids).size, 1200)
    assert.ok(last !== undefined && ids.indexOf(last.id) === 499)
  })

  test('the cursor works on another machine, where only the configuration is the same', async () => {
    const first = await sandbox.run(['query', ...window, '-n', '10', '-o', 'json'])
    const { nextCursor } = first.json<Envelope>()
    const env = { HOME: '/nonexistent', AUDITCTL_STATE_DIR: `${sandbox.folder}/elsewhere` }
    const rest = await sandbox.run(['query', '--cursor', nextCursor ?? '', '-n', '3'], { env })
    assert.equal(rest.code, 0, rest.stderr)
    assert.equal(idsOf(rest.stdout).length, 3)
  })

  test('the next command as printed works as it stands, and keeps the format', async () => {
    const first = await sandbox.run(['query', ...window, '-n', '2', '-o', 'csv', '--fields', 'id,createdAt'])
    const next = /^next: auditctl (.*)$/m.exec(first.stderr)?.[1] ?? ''
    const second = await sandbox.run(next.split(' '))
    assert.equal(second.code, 0, second.stderr)
    assert.match(second.stdout, /^id,createdAt\r\n[^\r]+\r\n[^\r]+\r\n$/)
  })

  test('the last page says nothing of more', async () => {
    const ended = await sandbox.run(['query', ...window, '-n', '1200', '-o', 'json'])
    assert.equal(ended.json<Envelope>().nextCursor, null)
    assert.doesNotMatch(ended.stderr, /next:/)
  })
})
