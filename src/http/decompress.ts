import { pipeline, type Readable, type Transform } from 'node:stream'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

/** A body that ended too early or is not what its `Content-Encoding` says. */
export class BrokenEncodingError extends Error {
  override readonly name = 'BrokenEncodingError'
}

/** A body that would be larger than it may be. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`)
  }
}

type Coding = {
  readonly whole: (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>
  readonly stream: () => Transform
}

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: { whole: promisify(zlib.gunzip), stream: () => zlib.createGunzip() },
  'x-gzip': { whole: promisify(zlib.gunzip), stream: () => zlib.createGunzip() },
  deflate: { whole: inflateEither, stream: () => zlib.createInflate() },
  br: { whole: promisify(zlib.brotliDecompress), stream: () => zlib.createBrotliDecompress() },
  zstd: { whole: promisify(zlib.zstdDecompress), stream: () => zlib.createZstdDecompress() },
}

/** What we ask for from servers that are not on this machine, where compressing costs more than it saves. */
export const ACCEPTED_ENCODINGS = 'gzip, br'

/** More layers than this serve nothing but to make one byte expensive. */
const MAX_LAYERS = 2

/**
 * The body without its content codings, undone in a pool thread, last one first; a body without any is handed back as it is.
 * @throws BodyTooLargeError when more than `maxBytes` come out, without having made them all
 * @throws BrokenEncodingError for a cut or broken body, or a coding we did not ask for
 */
export async function decompress(
  body: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  let plain = body
  for (const name of layersOf(encoding)) {
    // An empty body has nothing to undo (HEAD, 204, 304).
    if (plain.length === 0) return plain
    plain = await codingOf(name)
      .whole(plain, { maxOutputLength: maxBytes })
      .catch((cause: unknown) => {
        throw explain(cause, name, maxBytes)
      })
  }
  return plain
}

/** The same for a body that is handed over as it arrives. */
export function decompressStream(body: Readable, encoding: string | undefined): AsyncIterable<Uint8Array> {
  const layers = layersOf(encoding)
  if (layers.length === 0) return body
  return {
    async *[Symbol.asyncIterator]() {
      const stages = layers.map((name) => codingOf(name).stream())
      const last = stages.at(-1)
      if (last === undefined) return
      let failure: unknown
      // The callback gets the first error, the wire's own before the "unexpected end" that it causes further down.
      pipeline([body, ...stages], (error) => {
        failure = error
      })
      try {
        for await (const chunk of last) yield chunk
      } catch (cause) {
        throw explain(failure ?? cause, layers.join(', '), Number.POSITIVE_INFINITY)
      } finally {
        body.destroy()
      }
    },
  }
}

function layersOf(encoding: string | undefined): readonly string[] {
  if (encoding === undefined) return []
  const layers = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
    .reverse()
  if (layers.length > MAX_LAYERS)
    throw new BrokenEncodingError(`the body is encoded ${layers.length} times over`)
  return layers
}

function codingOf(name: string): Coding {
  const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined
  if (coding === undefined || (name === 'zstd' && !noticesCutZstd())) {
    throw new BrokenEncodingError(`the body is encoded as ${JSON.stringify(name)}, which was not asked for`)
  }
  return coding
}

let isZstdExact: boolean | undefined

/** Node 22 takes a cut zstd frame for a whole one and gives what there is: an answer that ends early must not pass for a short one. */
function noticesCutZstd(): boolean {
  if (isZstdExact === undefined) {
    try {
      zlib.zstdDecompressSync(zlib.zstdCompressSync('frame').subarray(0, -1))
      isZstdExact = false
    } catch {
      isZstdExact = true
    }
  }
  return isZstdExact
}

function explain(cause: unknown, name: string, maxBytes: number): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'ERR_BUFFER_TOO_LARGE') return new BodyTooLargeError(maxBytes)
  if (/^(?:Z_|ERR_|BR|ZSTD)/.test(code)) {
    return new BrokenEncodingError(`the ${name} body is cut off or broken (${code})`, { cause })
  }
  return cause
}

/** Servers disagree on whether `deflate` has the zlib header; its first byte tells. */
function inflateEither(body: Uint8Array, options: { maxOutputLength: number }): Promise<Buffer> {
  const hasHeader = ((body[0] ?? 0) & 0x0f) === 8
  return promisify(hasHeader ? zlib.inflate : zlib.inflateRaw)(body, options)
}
