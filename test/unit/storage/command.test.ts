import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand, splitCommand, startCommand } from '../../../src/storage/command.ts'

const NEVER = new AbortController().signal
const node = process.execPath
const limits = { signal: NEVER, maxBytes: 1000 }

test('splitCommand splits as a shell does, quotes and backslashes included, and expands nothing', () => {
  for (const [line, words] of [
    ['op read op://vault/item', ['op', 'read', 'op://vault/item']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a\\ b`, ['a b']],
    [`"a\\"b" "c\\d"`, ['a"b', 'c\\d']],
    [`'' x`, ['', 'x']],
    [`a"b"c`, ['abc']],
    ['echo $HOME *.txt; rm', ['echo', '$HOME', '*.txt;', 'rm']],
    ['  ', []],
  ] as const) {
    assert.deepEqual(splitCommand(line), words)
  }
  assert.throws(() => splitCommand(`a 'b`), { name: 'UserError', message: /is not closed/ })
})

test('runCommand gives the whole stdout and passes arguments as they are, without a shell', async () => {
  const out = await runCommand([node, '-e', 'console.log(process.argv[1])', '$HOME; id'], limits)
  assert.equal(Buffer.from(out).toString(), '$HOME; id\n')
})

test('runCommand names the exit code and the last complaint, and never shows stdout', async () => {
  const script = 'console.log("hunter2-secret"); console.error("first\\nvault is sealed"); process.exit(3)'
  await assert.rejects(runCommand([node, '-e', script], limits), (error: Error) => {
    assert.match(error.message, /ended with exit code 3: vault is sealed$/)
    assert.doesNotMatch(`${error.message}${error.stack}`, /hunter2/)
    return true
  })
})

test('runCommand says when there is no such program', async () => {
  await assert.rejects(runCommand(['no-such-program-here'], limits), {
    name: 'UserError',
    message: /there is no such program/,
  })
})

test('runCommand stops a program that writes too much or takes too long', async () => {
  const flood = 'setInterval(() => process.stdout.write("x".repeat(5000)), 1)'
  await assert.rejects(runCommand([node, '-e', flood], limits), /wrote more than 1000 bytes/)
  const sleeper = 'setInterval(() => {}, 1000)'
  await assert.rejects(
    runCommand([node, '-e', sleeper], { ...limits, timeoutMs: 100 }),
    /still running after 100 ms/,
  )
})

test('startCommand kills the program when it is aborted, and throws the reason', async () => {
  const stop = new AbortController()
  const script = 'console.log(1); setInterval(() => {}, 1000)'
  const running = await startCommand([node, '-e', script], { signal: stop.signal })
  const reason = new Error('stopped')
  await assert.rejects(async () => {
    for await (const _ of running.stdout) stop.abort(reason)
  }, reason)
  assert.equal((await running.ended).signal, 'SIGKILL')
})

test('startCommand kills the program when its reader stops early', async () => {
  const script = 'setInterval(() => console.log(1), 1)'
  const running = await startCommand([node, '-e', script], { signal: NEVER })
  for await (const _ of running.stdout) break
  assert.equal((await running.ended).exitCode, null)
})
