import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canAsk, openPrompter } from '../../../src/cli/prompt.ts'
import { fakeRuntime } from './fake-runtime.ts'

test('canAsk needs a terminal on stdin and on stderr', () => {
  assert.equal(canAsk({ stdinIsTerminal: true, stderrIsTerminal: true }), true)
  assert.equal(canAsk({ stdinIsTerminal: false, stderrIsTerminal: true }), false)
  assert.equal(canAsk({ stdinIsTerminal: true, stderrIsTerminal: false }), false)
})

test('confirm is no unless the answer says yes', async () => {
  const answers = ['y', 'YES', '', 'n', 'yep']
  const { runtime } = fakeRuntime({ keys: answers.map((answer) => `${answer}\n`) })
  const prompter = openPrompter(runtime.io, runtime.signal)
  try {
    const said: boolean[] = []
    for (const _ of answers) said.push(await prompter.confirm('Send 34 events?'))
    assert.deepEqual(said, [true, true, false, false, false])
  } finally {
    prompter.close()
  }
})

test('lines pasted at once answer one question each', async () => {
  const { runtime } = fakeRuntime({ keys: ['first\nsecond\n'] })
  const prompter = openPrompter(runtime.io, runtime.signal)
  try {
    assert.equal(await prompter.text('one'), 'first')
    assert.equal(await prompter.secret('two'), 'second')
  } finally {
    prompter.close()
  }
})

test('a question ends with the reason of the signal', async () => {
  const { runtime } = fakeRuntime({ keys: [] })
  const stop = new AbortController()
  const reason = new Error('deadline')
  const prompter = openPrompter(runtime.io, stop.signal)
  try {
    const answer = prompter.text('one')
    stop.abort(reason)
    await assert.rejects(answer, reason)
  } finally {
    prompter.close()
  }
})
