import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Buffers } from '../../../src/core/buffers.ts'

test('Buffers gives memory again once it was given back', () => {
  const buffers = new Buffers()
  const first = buffers.take(1_000_000)
  const other = buffers.take(1_000_000)
  assert.notEqual(first.buffer, other.buffer)
  first[0] = 42
  assert.equal(buffers.give(first), true)
  const again = buffers.take(900_000)
  assert.deepEqual([again.length, again[0]], [900_000, 42])
  assert.notEqual(buffers.take(1_000_000)[0], 42)
})

test('Buffers leaves every view of what was given back empty: none shows what is read there next', () => {
  const buffers = new Buffers()
  const first = buffers.take(300_000)
  const view = first.subarray(10, 20)
  buffers.give(view)
  const again = buffers.take(300_000).fill(7)
  assert.deepEqual([first.length, view.length, again.length], [0, 0, 300_000])
  assert.equal(buffers.give(first), false)
})

test('Buffers leaves alone what came from elsewhere', () => {
  const buffers = new Buffers()
  const foreign = Buffer.alloc(1_000_000)
  assert.equal(buffers.give(foreign), false)
  assert.equal(foreign.length, 1_000_000)
})
