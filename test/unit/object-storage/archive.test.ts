import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import type { Receipt } from '../../../src/core/destination.ts'
import { AuthError, RemoteConfigError } from '../../../src/core/errors.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'
import { archiveStream, heldIn } from '../../support/archive-stream.ts'
import { digest, type MemoryBucket, memoryBucket, s3Error } from '../../support/memory-objects.ts'
import { batchOf, fates, type Sample, sample, streamedEvent } from '../../support/trial.ts'

const signal = new AbortController().signal
const FROM = Date.UTC(2026, 10, 20, 2)
const WINDOW = { from: FROM, to: FROM + 3 * HOUR_MS }
const at = (number: number, minute: number): Sample =>
  sample(streamedEvent(number, FROM + minute * MINUTE_MS))
const EVENTS = [at(1, 0), at(2, 30), at(3, 60), at(4, 61), at(5, 179)]
const data = (bucket: MemoryBucket): string[] =>
  [...bucket.objects.keys()].filter((key) => !key.includes('manifest')).sort()
const manifests = (bucket: MemoryBucket): string[] =>
  [...bucket.objects.keys()].filter((key) => key.includes('manifest')).sort()

async function deliver(
  bucket: MemoryBucket,
  events: readonly Sample[],
  settings: Record<string, unknown> = {},
): Promise<Receipt> {
  const { destination } = await archiveStream(bucket, settings)
  try {
    return await destination.deliver(batchOf(destination, events), { signal })
  } finally {
    await destination.close()
  }
}

describe('an archive in a bucket', () => {
  test('is laid out by the hour of the events, each object named by its content', async () => {
    const bucket = memoryBucket()
    const receipt = await deliver(bucket, EVENTS, { prefix: '/audit/' })
    assert.deepEqual(new Set(fates(receipt, 5)), new Set(['accepted']))
    const keys = data(bucket)
    assert.deepEqual(
      keys.map((key) => key.replace(/[0-9a-f]{64}/, '<sha>')),
      [
        'audit/source=infisical/dt=2026-11-20/hour=02/part-0000000-<sha>.jsonl.gz',
        'audit/source=infisical/dt=2026-11-20/hour=03/part-0000000-<sha>.jsonl.gz',
        'audit/source=infisical/dt=2026-11-20/hour=04/part-3540000-<sha>.jsonl.gz',
      ],
    )
    const text = keys.map((key) => {
      const content = bucket.objects.get(key) ?? Buffer.alloc(0)
      assert.ok(key.includes(digest('sha256', content)))
      assert.deepEqual(
        [content.readUInt32LE(4), content[9]],
        [0, 255],
        'no time and no system in the gzip header',
      )
      return gunzipSync(content).toString()
    })
    assert.equal(text.join(''), EVENTS.map(({ streamed }) => `${Buffer.from(streamed)}\n`).join(''))
  })

  test('keys keep to what all stores take, in every layout', async () => {
    for (const layout of ['hive', 'flat', 'circleci']) {
      const bucket = memoryBucket()
      await deliver(bucket, EVENTS, { layout, prefix: 'a/b' })
      const allowed = layout === 'circleci' ? /^[A-Za-z0-9!_.*'()/=:-]+$/ : /^[A-Za-z0-9!_.*'()/=-]+$/
      for (const key of bucket.objects.keys()) {
        assert.match(key, allowed)
        assert.ok(key.length <= 1024)
      }
    }
  })

  test('the layout of CircleCI has the SHA-1 of a plain file and the hour in its names', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, EVENTS.slice(0, 1), { layout: 'circleci' })
    const [key = ''] = data(bucket)
    const content = bucket.objects.get(key) ?? ''
    assert.equal(key, `year=2026/month=11/day=20/hour=02/2026-11-20T02:00:00_${digest('sha1', content)}`)
    assert.equal(content.toString(), `${Buffer.from(EVENTS[0]?.streamed ?? [])}\n`)
  })

  test('a flat archive has the times of the events in its names, a day at most in one object', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, [...EVENTS, at(6, 24 * 60)], { layout: 'flat', compress: 'zstd' })
    const keys = data(bucket)
    assert.deepEqual(
      keys.map((key) => key.replace(/[0-9a-f]{64}/, '<sha>')),
      [
        '20261120T020000000Z_20261120T045900001Z_<sha>.jsonl.zst',
        '20261121T020000000Z_20261121T020000001Z_<sha>.jsonl.zst',
      ],
    )
    const lines = zstdDecompressSync(bucket.objects.get(keys[0] ?? '') ?? '')
      .toString()
      .trim()
      .split('\n')
    assert.equal(lines.length, 5)
  })

  test('the same events in any order are the same object: a repeat changes nothing', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, EVENTS)
    const before = data(bucket)
    const receipt = await deliver(bucket, EVENTS.toReversed())
    assert.deepEqual(new Set(fates(receipt, 5)), new Set(['accepted']))
    assert.equal(receipt.code, 'exists')
    assert.deepEqual(data(bucket), before)
  })

  test('the manifest is written last, lists every object, and a second one names the first', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, EVENTS)
    const creates = bucket.calls.filter((call) => call.startsWith('create '))
    assert.match(creates.at(-1) ?? '', /source=infisical\/_run-1\.manifest\.json$/)
    assert.equal(creates.filter((call) => call.includes('manifest')).length, 1)
    const first = bucket.objects.get(manifests(bucket)[0] ?? '') ?? Buffer.alloc(0)
    const manifest = JSON.parse(first.toString())
    assert.equal(manifest.complete, true)
    assert.deepEqual(manifest.totals.rows, 5)
    assert.deepEqual(manifest.window, { from: '2026-11-20T02:00:00.000Z', to: '2026-11-20T04:59:00.001Z' })
    for (const file of manifest.files) {
      const content = bucket.objects.get(`source=infisical/${file.path}`) ?? Buffer.alloc(0)
      assert.deepEqual(
        [file.bytes, file.sha256, file.md5],
        [content.length, digest('sha256', content), digest('md5', content)],
      )
    }
    await deliver(bucket, [at(9, 10)])
    const [, second = ''] = manifests(bucket)
      .sort((a, b) => b.length - a.length)
      .toReversed()
    assert.match(second, /_run-1\.2\.manifest\.json$/)
    const later = JSON.parse((bucket.objects.get(second) ?? '').toString())
    assert.equal(later.previousManifestSha256, digest('sha256', first))
  })

  test('a stream that wrote nothing writes no manifest', async () => {
    const bucket = memoryBucket()
    const { destination } = await archiveStream(bucket)
    await destination.test({ send: true, signal })
    await destination.close()
    assert.deepEqual(manifests(bucket), [])
  })

  for (const [title, error, fate, stop] of [
    ['429', s3Error(429, 'TooManyRequests'), 'retry', undefined],
    ['a lost race', s3Error(409, 'ConditionalRequestConflict'), 'retry', undefined],
    ['503 SlowDown', s3Error(503, 'SlowDown'), 'unknown', undefined],
    ['500', s3Error(500, 'InternalError'), 'unknown', undefined],
    ['408', s3Error(408, 'RequestTimeout'), 'unknown', undefined],
    ['413', s3Error(413, 'EntityTooLarge'), 'split', undefined],
    ['a reset', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'unknown', undefined],
    ['a closed port', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'retry', undefined],
    ['403', s3Error(403, 'AccessDenied'), 'retry', AuthError],
    ['an expired token', s3Error(400, 'ExpiredToken'), 'retry', AuthError],
    [
      'no credentials',
      Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
      'retry',
      AuthError,
    ],
    ['no bucket', s3Error(404, 'NoSuchBucket'), 'retry', RemoteConfigError],
    ['another region', s3Error(301, 'PermanentRedirect'), 'retry', RemoteConfigError],
  ] as const) {
    test(`${title} on one object leaves the others accepted, and its own events ${fate}`, async () => {
      const bucket = memoryBucket()
      bucket.fault = (call) => (call.startsWith('create ') && call.includes('hour=03') ? error : undefined)
      const receipt = await deliver(bucket, EVENTS)
      assert.deepEqual(fates(receipt, 5), ['accepted', 'accepted', fate, fate, 'accepted'], receipt.reason)
      if (stop === undefined) assert.equal(receipt.stop, undefined)
      else {
        assert.ok(receipt.stop instanceof stop, String(receipt.stop))
        assert.ok(receipt.stop.hint)
      }
      const manifest = JSON.parse((bucket.objects.get(manifests(bucket)[0] ?? '') ?? '').toString())
      assert.equal(manifest.complete, fate !== 'unknown')
      assert.equal(manifest.totals.rows, 3)
    })
  }

  test('something else under the key is never taken for the event: the run stops', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, EVENTS.slice(0, 1))
    const [key = ''] = data(bucket)
    bucket.objects.set(key, Buffer.from('something else'))
    const receipt = await deliver(bucket, EVENTS.slice(0, 1))
    assert.deepEqual(fates(receipt, 1), ['unknown'])
    assert.match(receipt.stop?.message ?? '', /holds something else/)
  })

  for (const layout of ['hive', 'flat', 'circleci'] as const) {
    test(`is its own inventory: ${layout}`, async () => {
      const bucket = memoryBucket({ pageObjects: 2 })
      await deliver(bucket, [at(8, -1), ...EVENTS, at(9, 180)], { layout, prefix: 'p' })
      const { inventory } = await archiveStream(bucket, { layout, prefix: 'p' })
      const held = await heldIn(inventory, WINDOW)
      assert.equal(held.reason, undefined)
      assert.deepEqual(held.ids.toSorted(), EVENTS.map(({ event }) => event.id).toSorted())
      const pieces = await inventory.plan(WINDOW, { signal })
      assert.deepEqual([pieces[0]?.from, pieces.at(-1)?.to], [WINDOW.from, WINDOW.to])
    })
  }

  test('an inventory reads what others archived: without a product folder, late, enveloped, and twice', async () => {
    const bucket = memoryBucket()
    const line = (number: number, minute: number) =>
      JSON.stringify(streamedEvent(number, FROM + minute * MINUTE_MS))
    bucket.objects.set(
      'logs/dt=20261120/hour=3/part-1.json',
      Buffer.from(`{"event":${line(1, 5)}}\n{"attributes":${line(2, 6)},"_id":"x"}`),
    )
    bucket.objects.set(
      'logs/dt=2026-11-20/hour=05/part-2.json.gz',
      gzipSync(`${line(3, 179)}\n${line(1, 5)}\n`),
    )
    bucket.objects.set('logs/dt=2026-11-20/hour=05/_SUCCESS', Buffer.from('x'))
    const { inventory } = await archiveStream(bucket, { prefix: 'logs' })
    const { ids } = await heldIn(inventory, WINDOW)
    assert.deepEqual(ids.map((id) => Number(id.slice(-12))).sort(), [1, 1, 2, 3])
  })

  test('an object that is cut off makes the answer incomplete, an altered one is told', async () => {
    const bucket = memoryBucket()
    await deliver(bucket, EVENTS)
    const [first = '', second = ''] = data(bucket)
    const { inventory, warned } = await archiveStream(bucket)
    bucket.objects.set(second, gzipSync(gunzipSync(bucket.objects.get(second) ?? ''), { level: 9 }))
    assert.equal((await heldIn(inventory, WINDOW)).reason, undefined)
    assert.equal(warned.length, 1)
    assert.ok(warned[0]?.includes(second))
    bucket.objects.set(first, (bucket.objects.get(first) ?? Buffer.alloc(0)).subarray(0, -9))
    assert.match((await heldIn(inventory, WINDOW)).reason ?? '', /cut off or damaged/)
  })

  test('a bucket that refuses listing is an error with the permission in its hint', async () => {
    const bucket = memoryBucket()
    bucket.fault = (call) => (/^(?:list|folders|probe)/.test(call) ? s3Error(403, 'AccessDenied') : undefined)
    const { inventory, destination } = await archiveStream(bucket)
    await assert.rejects(heldIn(inventory, WINDOW), (error: unknown) => {
      assert.ok(error instanceof AuthError)
      assert.match(error.hint ?? '', /s3:ListBucket/)
      return true
    })
    for (const checks of [await inventory.test(signal), await destination.test({ send: false, signal })]) {
      assert.deepEqual(
        checks.map(({ state, refused }) => [state, refused]),
        [['failure', true]],
      )
    }
  })

  test('the query for a person names the folder and the window', async () => {
    const { inventory } = await archiveStream(memoryBucket(), { prefix: 'audit' })
    const text = inventory.queryText?.(WINDOW)
    assert.match(
      text?.query ?? '',
      /s3:\/\/memory\/audit\/source=infisical\/dt=.*createdAt >= '2026-11-20T02:00:00.000Z'/,
    )
    assert.match(text?.feed ?? '', /auditctl gaps --stream lake/)
  })
})
