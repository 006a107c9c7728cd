import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { IncompleteError } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import { type OpenParts, openStore, type StoreSettings } from '../../src/storage/objects/open-store.ts'
import type { ObjectStore } from '../../src/storage/objects/store.ts'
import { newObject, writeOnce } from '../../src/storage/objects/write-once.ts'

export type RealServer = { readonly settings: StoreSettings; close(): Promise<void> }

const signal = AbortSignal.timeout(300_000)
const TYPE = 'application/octet-stream'
export const CLOCK: OpenParts['clock'] = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => 0.5,
}

const SECRETS = ['accessKeyId', 'secretAccessKey', 'accessToken', 'credentials', 'accountKey', 'sasToken']

/** A configured stream's settings, as a store takes them. */
export function settingsOf(
  kind: StoreSettings['kind'],
  settings: Readonly<Record<string, unknown>>,
): StoreSettings {
  const members = Object.entries(settings).map(([key, value]) => [
    key,
    SECRETS.includes(key) ? new Secret(String(value), (text) => text) : value,
  ])
  return { ...Object.fromEntries(members), kind } as StoreSettings
}

/** What every object store owes to the program, kept by a real one. `isSkipped`: why it is not there. */
export function storeSuite(
  name: string,
  start: () => Promise<RealServer>,
  isSkipped: string | false = false,
): void {
  describe(name, { skip: isSkipped }, () => {
    let server: RealServer
    let store: ObjectStore
    const prefix = `${randomUUID()}/`
    const put = (key: string, content: string | Uint8Array = key) =>
      store.create(newObject(`${prefix}${key}`, Buffer.from(content), TYPE), signal)
    const bytesOf = async (key: string): Promise<Buffer> => {
      const blocks: Uint8Array[] = []
      for await (const block of store.read(`${prefix}${key}`, signal)) blocks.push(block)
      return Buffer.concat(blocks)
    }
    const keysOf = async (below: string, from?: string): Promise<string[]> => {
      const keys: string[] = []
      for await (const page of store.list(`${prefix}${below}`, signal, from))
        keys.push(...page.map(({ key }) => key.slice(prefix.length)))
      return keys
    }

    before(async () => {
      server = await start()
      store = await openStore(server.settings, { clock: CLOCK })
    })
    after(async () => {
      await store?.close()
      await server?.close()
    })

    test('may be listed', () => store.probe(signal))

    test('creates an object once, and keeps the first content', async () => {
      assert.equal(await put('once', 'first'), 'created')
      assert.equal(await put('once', 'second'), 'exists')
      assert.equal((await bytesOf('once')).toString(), 'first')
    })

    test('lets one of many writers win', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          put('race', `writer ${n}`).catch((error: unknown) => String(error)),
        ),
      )
      assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1, outcomes.join(', '))
    })

    test('proves what was written, and notices something else under the key', async () => {
      const object = newObject(`${prefix}proved`, Buffer.from('content'), TYPE)
      assert.deepEqual(await writeOnce(store, object, signal), { isNew: true })
      assert.deepEqual(await writeOnce(store, object, signal), { isNew: false })
      const other = newObject(`${prefix}proved`, Buffer.from('CONTENT'), TYPE)
      await assert.rejects(writeOnce(store, other, signal), IncompleteError)
    })

    test('refuses content that does not have the digest it came with', async () => {
      const object = newObject(`${prefix}damaged`, Buffer.from('content'), TYPE)
      const other = newObject('', Buffer.from('other'), TYPE)
      await assert.rejects(store.create({ ...object, md5: other.md5, sha256: other.sha256 }, signal))
      assert.equal(await store.head(object.key, signal), undefined)
    })

    for (const key of [
      'year=2025/month=07/day=16/hour=09/2025-07-16T09:52:30_a1b2',
      "a b/ü+%41&'()*!.json",
      'x'.repeat(900),
    ]) {
      test(`keeps the key ${key.slice(0, 40)} as it is`, async () => {
        assert.equal(await put(key, 'odd'), 'created')
        assert.equal((await bytesOf(key)).toString(), 'odd')
        assert.ok((await keysOf(key)).includes(key))
        assert.equal((await store.head(`${prefix}${key}`, signal))?.bytes, 3)
      })
    }

    test('says of an object that is not there that it is not there', async () => {
      assert.equal(await store.head(`${prefix}nothing`, signal), undefined)
      await assert.rejects(bytesOf('nothing'), IncompleteError)
    })

    test('lists over pages, in order, from a key on, and by folders', async () => {
      const keys = Array.from(
        { length: 1005 },
        (_, n) => `many/${n % 3}/${String(n).padStart(4, '0')}`,
      ).sort()
      const waiting = [...keys]
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await put(key, 'x')
        }),
      )
      assert.deepEqual(await keysOf('many/'), keys)
      const half = keys[500] ?? ''
      const later = await keysOf('many/', `${prefix}${half}`)
      assert.deepEqual(
        later.filter((key) => key > half),
        keys.slice(501),
      )
      assert.deepEqual(
        await store.folders(`${prefix}many/`, signal),
        [0, 1, 2].map((n) => `${prefix}many/${n}/`),
      )
      assert.deepEqual(await store.folders(`${prefix}none/`, signal), [])
    })

    test('takes an object in parts, once', async () => {
      const content = Buffer.alloc(70 * 1024 * 1024)
      for (let at = 0; at < content.length; at += 4096) content.writeUInt32LE(at, at)
      const object = newObject(`${prefix}large`, content, TYPE)
      assert.deepEqual(await writeOnce(store, object, signal), { isNew: true })
      assert.deepEqual(await writeOnce(store, object, signal), { isNew: false })
      const hash = createHash('sha256')
      for await (const block of store.read(object.key, signal)) hash.update(block)
      assert.equal(hash.digest('hex'), object.sha256)
    })

    test('ends at once when it is asked to', async () => {
      const reason = new Error('asked to stop')
      await assert.rejects(store.head(`${prefix}once`, AbortSignal.abort(reason)), reason)
    })
  })
}
