import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeBytes } from '../../../src/core/free-bytes.ts'

test('freeBytes() gives large memory back at once: all views of it are empty', () => {
  const bytes = Buffer.allocUnsafeSlow(1024 * 1024)
  const view = bytes.subarray(10, 20)
  freeBytes(view)
  assert.deepEqual([bytes.length, view.length, bytes.buffer.byteLength], [0, 0, 0])
  freeBytes(view)
})

test('freeBytes() leaves memory alone that other buffers may share', () => {
  const bytes = Buffer.from('a small buffer is cut from a slab')
  freeBytes(bytes)
  assert.equal(bytes.toString(), 'a small buffer is cut from a slab')
})
