import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import { ContractError } from '../../../src/core/errors.ts'
import { BodyTooLargeError, BrokenEncodingError, decompress } from '../../../src/http/decompress.ts'
import { ask, client, serve } from './loopback.ts'

const TEXT = Buffer.from(JSON.stringify({ auditLogs: Array(500).fill({ id: 'é', big: 1 }) }))
const ENCODED: Readonly<Record<string, Buffer>> = {
  gzip: zlib.gzipSync(TEXT),
  'X-GZIP': zlib.gzipSync(TEXT),
  deflate: zlib.deflateSync(TEXT),
  br: zlib.brotliCompressSync(TEXT),
  zstd: zlib.zstdCompressSync(TEXT),
  'br, gzip': zlib.gzipSync(zlib.brotliCompressSync(TEXT)),
}

test('decompress() undoes every coding, and the last one first', async () => {
  for (const [encoding, body] of Object.entries(ENCODED)) {
    assert.deepEqual(await decompress(body, encoding, 1_000_000), TEXT, encoding)
  }
  assert.deepEqual(await decompress(zlib.deflateRawSync(TEXT), 'deflate', 1_000_000), TEXT)
  const twoMembers = Buffer.concat([zlib.gzipSync('one'), zlib.gzipSync('two')])
  assert.equal((await decompress(twoMembers, 'gzip', 100)).toString(), 'onetwo')
})

test('decompress() hands over the same bytes when there is nothing to undo', async () => {
  for (const encoding of [undefined, '', 'identity']) assert.equal(await decompress(TEXT, encoding, 10), TEXT)
  assert.equal((await decompress(Buffer.alloc(0), 'gzip', 10)).length, 0)
})

test('decompress() stops a bomb at its bound', async () => {
  const zeros = Buffer.alloc(50_000_000)
  for (const bomb of [zlib.gzipSync(zeros), zlib.zstdCompressSync(zeros)]) {
    const encoding = bomb[0] === 0x1f ? 'gzip' : 'zstd'
    await assert.rejects(decompress(bomb, encoding, 1_000_000), BodyTooLargeError, encoding)
  }
  assert.equal((await decompress(zlib.gzipSync(Buffer.alloc(1000)), 'gzip', 1000)).length, 1000)
  await assert.rejects(decompress(zlib.gzipSync(Buffer.alloc(1001)), 'gzip', 1000), BodyTooLargeError)
})

test('decompress() refuses a cut or broken body and a coding that was not asked for', async () => {
  for (const [encoding, body] of Object.entries(ENCODED)) {
    await assert.rejects(
      decompress(body.subarray(0, body.length - 9), encoding, 1_000_000),
      BrokenEncodingError,
      encoding,
    )
    await assert.rejects(
      decompress(Buffer.from('<html>no</html>'), encoding, 1_000_000),
      BrokenEncodingError,
      encoding,
    )
  }
  for (const encoding of ['compress', 'gzip, gzip, gzip', '__proto__', 'toString']) {
    await assert.rejects(decompress(TEXT, encoding, 1_000_000), BrokenEncodingError, encoding)
  }
})

test('request() decompresses, repeats a cut gzip body, and gives a bomb up at once', async (t) => {
  const good = zlib.gzipSync(TEXT)
  const bomb = zlib.gzipSync(Buffer.alloc(50_000_000))
  const server = await serve(t, (response, { url }, index) => {
    const body = url === '/bomb' ? bomb : index === 1 ? good.subarray(0, good.length - 9) : good
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const reply = await service.request(ask())
  assert.deepEqual(Buffer.from(reply.bytes), TEXT)
  assert.equal(reply.attempts, 2)
  await assert.rejects(service.request(ask({ path: '/bomb', maxResponseBytes: 1_000_000 })), (error) => {
    return error instanceof ContractError && error.code === 'too-large' && error.attempts === 1
  })
  assert.equal(server.seen.length, 3)
})

test('request() ends a body that stays cut as a ContractError', async (t) => {
  const body = zlib.gzipSync(TEXT).subarray(0, 60)
  const server = await serve(t, (response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  await assert.rejects(service.request(ask()), (error) => {
    return (
      error instanceof ContractError &&
      error.attempts === 6 &&
      /gzip body is cut off or broken/.test(error.message)
    )
  })
})

test('compressed answers are asked for from other machines only', async (t) => {
  const server = await serve(t, (response) => response.end('{}'))
  await client(t).http.service({ service: 'Acme', baseUrl: server.url }).request(ask())
  assert.equal(server.seen[0]?.headers['accept-encoding'], undefined)
  const away = client(t, { env: { HTTP_PROXY: server.url } }).http
  await away
    .service({ service: 'Acme', baseUrl: 'http://service.test', allowInsecureHttp: true })
    .request(ask())
  assert.equal(server.seen[1]?.headers['accept-encoding'], 'gzip, br')
})
