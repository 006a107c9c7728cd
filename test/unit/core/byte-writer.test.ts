import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '../../../src/core/byte-writer.ts'

test('ByteWriter puts pieces of every kind and length together', () => {
  const long = 'x'.repeat(100)
  const writer = new ByteWriter()
  writer
    .byte(0x7b)
    .ascii('"a":')
    .copy(Buffer.from('__1,2__'), 2, 5)
    .ascii(long)
    .copy(Buffer.from(long))
    .text('é😀')
  assert.equal(writer.length, 8 + 200 + 6 + 0)
  assert.equal(Buffer.from(writer.take()).toString(), `{"a":1,2${long}${long}é😀`)
  assert.equal(writer.length, 0)
  assert.equal(writer.take().length, 0)
})

test('ByteWriter never changes what was taken, whatever is written later', () => {
  const writer = new ByteWriter(16)
  const taken: [Uint8Array, string][] = []
  for (let n = 0; n < 500; n += 1) {
    const text = `${n}:${'é'.repeat(n % 23)}`
    if (n % 3 === 0) writer.text(text)
    else if (n % 3 === 1) writer.copy(Buffer.from(text))
    else for (const byte of Buffer.from(text)) writer.byte(byte)
    taken.push([writer.take(), text])
  }
  for (const [bytes, text] of taken) assert.equal(Buffer.from(bytes).toString(), text)
})

test('ByteWriter forgets what is dropped and keeps what was taken', () => {
  const writer = new ByteWriter(8)
  const first = writer.ascii('first').take()
  writer.ascii('dropped text, longer than the slab').drop()
  const second = writer.ascii('second').take()
  assert.equal(Buffer.from(first).toString(), 'first')
  assert.equal(Buffer.from(second).toString(), 'second')
})
