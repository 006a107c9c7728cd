import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UserError } from '../../../src/core/errors.ts'
import { isObjectUrl, keyMatcher, objectLocation } from '../../../src/storage/objects/location.ts'
import { objectInputs } from '../../../src/storage/objects/object-inputs.ts'
import { openObjects } from '../../../src/storage/objects/open-objects.ts'
import { openStore } from '../../../src/storage/objects/open-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { memoryBucket } from '../../support/memory-objects.ts'
import { textOf } from '../../support/temp-files.ts'

const signal = new AbortController().signal

describe('an object URL', () => {
  for (const [url, expected] of [
    ['s3://acme/a/b.jsonl', ['s3', 'acme', 'a/b.jsonl', undefined]],
    ['gs://acme/a/**/*.gz', ['gcs', 'acme', 'a/**/*.gz', undefined]],
    ['gcs://acme', ['gcs', 'acme', '', undefined]],
    ['azblob://box/a/?.json', ['azure-blob', 'box', 'a/?.json', undefined]],
    ['https://acme.blob.core.windows.net/box/a/b', ['azure-blob', 'box', 'a/b', 'acme']],
  ] as const) {
    test(`${url} is taken apart`, () => {
      const { kind, bucket, pattern, account } = objectLocation(url)
      assert.deepEqual([kind, bucket, pattern, account], expected)
      assert.ok(isObjectUrl(url))
    })
  }

  for (const path of ['a/b.jsonl', '/tmp/x', 'https://example.com/box/a', 'ftp://x/y', 'C:\\x', '-']) {
    test(`${path} is none`, () => assert.equal(isObjectUrl(path), false))
  }

  for (const url of ['s3://', 's3://user:pass@bucket/x', 'https://acme.blob.core.windows.net/']) {
    test(`${url} is refused`, () => assert.throws(() => objectLocation(url), UserError))
  }

  for (const [pattern, key, expected] of [
    ['', 'a', true],
    ['a', 'a', true],
    ['a', 'a/b', true],
    ['a', 'ab', false],
    ['a/', 'a/b/c', true],
    ['a/*.json', 'a/b.json', true],
    ['a/*.json', 'a/b/c.json', false],
    ['a/**/*.json', 'a/c.json', true],
    ['a/**/*.json', 'a/b/c/d.json', true],
    ['**', 'a/b', true],
    ['dt=2026-11-{19,20}/*', 'dt=2026-11-20/x', true],
    ['dt=2026-11-{19,20}/*', 'dt=2026-11-21/x', false],
    ['a[0-9].json', 'a7.json', true],
    ['a[!0-9].json', 'a7.json', false],
    ['a?.json', 'a/.json', false],
    ['a+(b).json', 'a+(b).json', true],
    ['*.json', 'a.jsonx', false],
  ] as const) {
    test(`${JSON.stringify(pattern)} ${expected ? 'fits' : 'does not fit'} ${key}`, () => {
      assert.equal(keyMatcher(pattern)(key), expected)
    })
  }
})

describe('objects as inputs', () => {
  const bucket = () => {
    const made = memoryBucket({ pageObjects: 3 })
    for (let n = 0; n < 40; n += 1) {
      const line = `{"n":${n}}\n`
      made.objects.set(`x/dt=1/part-${String(n).padStart(2, '0')}.jsonl.gz`, gzipSync(line))
    }
    made.objects.set('x/_run.manifest.json', Buffer.from('{}'))
    made.objects.set('x/notes.md', Buffer.from('#'))
    made.objects.set('x/empty.jsonl', Buffer.alloc(0))
    made.objects.set('xy/other.jsonl', Buffer.from('{}'))
    return made
  }
  const partsOf = (made: ReturnType<typeof memoryBucket>) => ({
    clock: fakeClock(),
    signal,
    openStore: made.open,
  })

  test('are the data below a prefix, in order, unpacked, many fetched at once', async () => {
    const made = bucket()
    made.delayMs = 2
    const found = await objectInputs('s3://memory/x/', partsOf(made))
    const texts: string[] = []
    for await (const input of found.inputs) texts.push(await textOf(input.text()))
    assert.equal(found.files, 40)
    assert.deepEqual(found.skipped, ['s3://memory/x/_run.manifest.json', 's3://memory/x/notes.md'])
    assert.equal(texts.join(''), Array.from({ length: 40 }, (_, n) => `{"n":${n}}\n`).join(''))
    assert.equal(made.calls.filter((call) => call.startsWith('read ')).length, 40)
    assert.ok(made.busiest >= 8, `${made.busiest} at once`)
  })

  test('are few when few are taken', async () => {
    const made = bucket()
    const { inputs } = await objectInputs('s3://memory/x/**/*.gz', partsOf(made))
    for await (const _ of inputs) break
    assert.ok(made.calls.filter((call) => call.startsWith('read ')).length <= 16)
  })

  test('an object named by its key is taken whatever its name', async () => {
    const { inputs } = await objectInputs('s3://memory/x/notes.md', partsOf(bucket()))
    const names: string[] = []
    for await (const { name, mayBeOther } of inputs) names.push(`${name} ${mayBeOther}`)
    assert.deepEqual(names, ['s3://memory/x/notes.md false'])
  })

  test('nothing there is a usage error', async () => {
    await assert.rejects(objectInputs('s3://memory/nothing/', partsOf(bucket())), UserError)
  })

  test('a read that fails names the object', async () => {
    const made = bucket()
    made.fault = (call) =>
      call.includes('part-03')
        ? Object.assign(new Error('no'), { $metadata: { httpStatusCode: 403 }, name: 'AccessDenied' })
        : undefined
    const { inputs } = await objectInputs('s3://memory/x/', partsOf(made))
    await assert.rejects(async () => {
      for await (const input of inputs) await textOf(input.text())
    }, /part-03.*AccessDenied/)
  })

  test('can be put once through the same door', async () => {
    const objects = await openObjects('s3://memory/late/', partsOf(bucket()))
    const content = Buffer.from('late')
    assert.deepEqual(await objects.putIfAbsent('late/a', content, 'text/plain', signal), { isNew: true })
    assert.deepEqual(await objects.putIfAbsent('late/a', content, 'text/plain', signal), { isNew: false })
    assert.equal((await objects.head('late/a', signal))?.bytes, 4)
    await assert.rejects(
      objects.putIfAbsent('late/a', Buffer.from('other'), 'text/plain', signal),
      /something else/,
    )
  })
})

describe('a store whose SDK is not installed', () => {
  for (const [url, name] of [
    ['s3://acme/x', '@aws-sdk/client-s3'],
    ['gs://acme/x', '@google-cloud/storage'],
    ['https://acme.blob.core.windows.net/box/x', '@azure/storage-blob'],
  ] as const) {
    test(`${url} says how to install ${name}`, async (t) => {
      if (process.env['AUDITCTL_TEST_REAL'] === '1') return t.diagnostic('the SDK is here')
      await assert.rejects(openObjects(url, { clock: fakeClock(), openStore }), (error: unknown) => {
        assert.ok(error instanceof UserError)
        assert.equal(error.code, 'missing-package')
        assert.ok(error.hint?.startsWith(`npm install ${name} `))
        return true
      })
    })
  }

  test('a plain http endpoint off loopback is refused before anything is loaded', async () => {
    const settings = { kind: 's3', bucket: 'b', endpoint: 'http://s3.example' } as const
    await assert.rejects(openStore(settings, { clock: fakeClock() }), /in the clear/)
  })
})
