import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import type { Inventory, InventoryEnd } from '../../../src/core/inventory.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { DAY_MS, HOUR_MS, type TimeRange } from '../../../src/core/time-range.ts'
import { createHttpClient } from '../../../src/http/client.ts'
import { command } from '../../../src/inventories/command/index.ts'
import { readPrinted } from '../../../src/inventories/command/read-printed.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const signal = new AbortController().signal
const FROM = Date.parse('2026-11-20T02:10:00.123Z')
const WINDOW: TimeRange = { from: FROM, to: FROM + HOUR_MS }
const END = (count: number) => `{"auditctl":"end","count":${count}}`

type Read = { ids: string[]; atMs: number[]; end: InventoryEnd }

async function read(rows: ReturnType<Inventory['ids']>): Promise<Read> {
  const ids: string[] = []
  const atMs: number[] = []
  for (;;) {
    const step = await rows.next()
    if (step.done === true) return { ids, atMs, end: step.value }
    ids.push(...step.value.ids)
    atMs.push(...(step.value.atMs ?? []))
  }
}

describe('what a command prints', () => {
  async function printed(chunks: readonly string[], idField?: string) {
    async function* stdout(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
    }
    const rows = readPrinted(stdout(), idField)
    const ids: string[] = []
    const atMs: number[] = []
    for (;;) {
      const step = await rows.next()
      if (step.done === true) return { ids, atMs, ...step.value }
      ids.push(...step.value.ids)
      atMs.push(...(step.value.atMs ?? []))
    }
  }

  for (const [title, text, ids] of [
    ['one id a line', `a1\nb2\n${END(2)}\n`, ['a1', 'b2']],
    ['lines of Windows, blanks and comments', `# held\r\n a1 \r\n\r\nb2\r\n${END(2)}\r\n`, ['a1', 'b2']],
    ['JSON Lines', `{"id":"a1"}\n{"id":"b2","more":[1]}\n${END(2)}`, ['a1', 'b2']],
    ['ids as JSON texts and numbers', `"a1"\n17\n${END(2)}\n`, ['a1', '17']],
    [
      'ids in their usual nested places',
      `{"event":{"id":"a1"}}\n{"event":{"id":"b2"}}\n${END(2)}\n`,
      ['a1', 'b2'],
    ],
    ['repeats', `a1\na1\n${END(2)}\n`, ['a1', 'a1']],
    ['nothing', `${END(0)}\n`, []],
    ["the product's ping among them", `{"id":"a1"}\n{"ping":"ok"}\n${END(1)}\n`, ['a1']],
  ] as const) {
    test(`${title} is whole`, async () => {
      const whole = await printed([text])
      assert.deepEqual([whole.ids, whole.problem], [ids, undefined])
      const bytewise = await printed([...text])
      assert.deepEqual([bytewise.ids, bytewise.problem], [ids, undefined], 'however it is cut into chunks')
    })
  }

  for (const [title, text, problem] of [
    ['an end line that is missing', 'a1\nb2\n', /without its last line/],
    ['nothing at all', '', /without its last line/],
    ['a count that is too high', `a1\n${END(2)}\n`, /printed 1 ids, and its last line says 2/],
    ['a count that is too low', `a1\nb2\n${END(1)}\n`, /printed 2 ids/],
    ['an end line without a count', 'a1\n{"auditctl":"end"}\n', /line 2: the end line has no count/],
    ['more after the end line', `a1\n${END(1)}\nb2\n`, /line 3 stands after the end line/],
    ['a line that is cut off', `{"id":"a1"}\n{"id":"b`, /line 2 is not JSON, or is cut off/],
    ['an end line that is cut off', 'a1\n{"auditctl":"end","cou', /line 2 is not JSON/],
    ['a row without an id', `{"id":"a1"}\n{"name":"b2"}\n${END(2)}`, /line 2 has no id: tried id/],
    [
      'a row that holds its id elsewhere',
      `{"id":"a1"}\n{"event":{"id":"b2"}}\n${END(2)}`,
      /line 2 has no id/,
    ],
    ['a list in a line', `["a1","b2"]\n${END(2)}`, /line 1 has no id/],
    ['a cursor that is no text', 'a1\n{"auditctl":"end","count":1,"next":7}\n', /cursor of the end line/],
  ] as const) {
    test(`${title} is not`, async () => {
      assert.match((await printed([text])).problem ?? '', problem)
      assert.match((await printed([...text])).problem ?? '', problem)
    })
  }

  test('idField says where the id stands, as a path or a pointer', async () => {
    const text = `{"id":"wrong","audit":{"id":"a1"}}\n${END(1)}`
    assert.deepEqual((await printed([text], 'audit.id')).ids, ['a1'])
    assert.deepEqual((await printed([text], '/audit/id')).ids, ['a1'])
  })

  test('rows tell their own time where they have one', async () => {
    const { atMs } = await printed([`{"id":"a1","createdAt":"2026-11-20T02:10:00.123Z"}\nb2\n${END(2)}`])
    assert.deepEqual(atMs, [FROM, Number.NaN])
  })

  test('letters outside ASCII survive a cut inside them', async () => {
    const bytes = Buffer.from(`é🔑\n${END(1)}\n`)
    const { ids } = await printed([...bytes.toString('latin1')])
    assert.deepEqual(ids, ['é🔑'])
  })
})

describe('the inventory of a command', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'auditctl-command-'))
  })
  after(() => rmSync(dir, { recursive: true }))

  const open = (argv: readonly string[], idField?: string): Inventory => {
    const clock = fakeClock()
    const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
    const settings = { inventory: { command: argv }, ...(idField === undefined ? {} : { idField }) }
    const parts = { http, clock, log: SILENT, baseDir: dir, sourceType: 'infisical' }
    return command.create('hook', settings, parts) ?? assert.fail()
  }
  const node = (code: string, ...rest: string[]) => open([process.execPath, '-e', code, ...rest])

  test('is asked with the window in its environment, and without a shell', async () => {
    const code = `
      const { AUDITCTL_FROM, AUDITCTL_TO, AUDITCTL_CURSOR } = process.env
      for (const id of [AUDITCTL_FROM, AUDITCTL_TO, '<' + AUDITCTL_CURSOR + '>', process.argv[1]]) console.log(id)
      console.log('${END(4)}')`
    const inventory = node(code, '$(touch pwned); *')
    const { ids, end } = await read(inventory.ids(WINDOW, { signal }))
    assert.deepEqual(ids, ['2026-11-20T02:10:00.123Z', '2026-11-20T03:10:00.123Z', '<>', '$(touch pwned); *'])
    assert.deepEqual(end, { exhausted: true })
    assert.equal(inventory.queries(), 1)
  })

  test('starts beside the configuration file', async () => {
    const script = join(dir, 'held.sh')
    writeFileSync(script, `#!/bin/sh\necho a1\necho '${END(1)}'\n`)
    chmodSync(script, 0o755)
    assert.deepEqual((await read(open(['./held.sh']).ids(WINDOW, { signal }))).ids, ['a1'])
  })

  for (const [title, code, reason] of [
    [
      'fails after a whole answer',
      `console.log('a1\\n${END(1)}'); console.error('quota gone'); process.exitCode = 3`,
      /exit code 3: quota gone/,
    ],
    [
      'is killed',
      `console.log('a1\\n${END(1)}'); process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e4)`,
      /killed by SIGTERM/,
    ],
    ['leaves out its last line', `console.log('a1')`, /without its last line/],
    ['prints rubbish and does not stop', `setInterval(() => console.log('{'), 1)`, /line 1 is not JSON/],
  ] as const) {
    test(`one that ${title} is incomplete, with the reason`, async () => {
      const { end } = await read(node(code).ids(WINDOW, { signal }))
      assert.equal(end.exhausted, false)
      assert.match(end.reason ?? '', reason)
    })
  }

  test('is run again with the cursor it gave, and a repeated cursor is incomplete', async () => {
    const paged = (last: string) => `
      const page = Number(process.env.AUDITCTL_CURSOR || 0)
      console.log('id' + page)
      console.log(JSON.stringify({ auditctl: 'end', count: 1, next: page < 2 ? String(page + 1) : ${last} }))`
    const whole = await read(node(paged('null')).ids(WINDOW, { signal }))
    assert.deepEqual([whole.ids, whole.end], [['id0', 'id1', 'id2'], { exhausted: true }])
    const endless = await read(node(paged(`'1'`)).ids(WINDOW, { signal }))
    assert.equal(endless.end.exhausted, false)
    assert.match(endless.end.reason ?? '', /cursor "1" twice/)
  })

  test('a program that is not there is an error of the settings', async () => {
    await assert.rejects(read(open(['./no-such-program']).ids(WINDOW, { signal })), UserError)
    const [check] = await open(['./no-such-program']).test(signal)
    assert.equal(check?.state, 'failure')
    assert.ok(check?.hint)
  })

  test('an abort kills it and ends with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('asked to stop')
    const rows = node(`console.log('a1'); setTimeout(() => {}, 60_000)`).ids(WINDOW, {
      signal: controller.signal,
    })
    assert.deepEqual((await rows.next()).value, { ids: ['a1'], atMs: [Number.NaN] })
    controller.abort(reason)
    await assert.rejects(rows.next(), reason)
    const late = node('').ids(WINDOW, { signal: AbortSignal.abort(reason) })
    await assert.rejects(late.next(), reason)
  })

  test('a reader that stops early kills it', async () => {
    const pidFile = join(dir, 'pid')
    const code = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); console.log('a1'); setTimeout(() => {}, 60_000)`
    const rows = node(code).ids(WINDOW, { signal })
    await rows.next()
    const { readFileSync } = await import('node:fs')
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await rows.return({ exhausted: false })
    for (let turn = 0; turn < 200 && isAlive(pid); turn += 1)
      await new Promise((done) => setTimeout(done, 10))
    assert.equal(isAlive(pid), false)
  })

  test('a long window is asked a day at a time, in pieces without a gap', async () => {
    const wide = { from: FROM, to: FROM + 2.5 * DAY_MS }
    const pieces = await open(['true']).plan(wide, { signal })
    assert.deepEqual(pieces, [
      { from: FROM, to: FROM + DAY_MS },
      { from: FROM + DAY_MS, to: FROM + 2 * DAY_MS },
      { from: FROM + 2 * DAY_MS, to: wide.to },
    ])
  })

  test('test() tells how many ids it told', async () => {
    assert.deepEqual(
      (await node(`console.log('a1\\n${END(1)}')`).test(signal)).map(({ state }) => state),
      ['ok'],
    )
    const [check] = await node(`console.log('a1')`).test(signal)
    assert.equal(check?.state, 'failure')
  })

  test('its text for a person is the command line, quoted', () => {
    const text = open(['./held.sh', 'a b', "it's"]).queryText?.(WINDOW)
    assert.equal(
      text?.query,
      `AUDITCTL_FROM=2026-11-20T02:10:00.123Z AUDITCTL_TO=2026-11-20T03:10:00.123Z ./held.sh 'a b' 'it'\\''s'`,
    )
    assert.match(text?.feed ?? '', /--inventory /)
  })

  test('a stream that names an address, or nothing, has no command', () => {
    const parts = {
      http: createHttpClient({ clock: fakeClock(), log: SILENT, env: {}, version: 'test' }),
      clock: fakeClock(),
      log: SILENT,
      baseDir: dir,
      sourceType: 'infisical',
    }
    assert.equal(command.create('hook', {}, parts), undefined)
    assert.equal(command.create('hook', { inventory: { url: 'https://x.example' } }, parts), undefined)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
