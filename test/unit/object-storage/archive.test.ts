import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import type { Receipt } from '../../../src/core/destination.ts'
import { AuthError, RemoteConfigError } from '../../../src/core/errors.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'
import { originOf } from '../../../src/storage/objects/event-origin.ts'
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

  for (const [type, event, at] of [
    ['infisical', { id: 'a', createdAt: '2026-11-20T02:30:00.000Z', metadata: { timestamp: 'x' } }, 30],
    ['scaivault', { id: 'a', timestamp: '2026-11-20T02:31:00.123456Z' }, 31],
    ['infrakitchen', { id: 'a', created_at: '2026-11-20T02:32:00' }, 32],
    ['circleci', { id: 'a', occurred_at: '2026-11-20T02:33:00.118203417Z' }, 33],
    ['circleci', { id: 'a', common_fields: { timestamp: '2026-11-20T02:34:00Z' } }, 34],
    ['infisical', { id: 'a', createdAt: '2026-11-20T02:35:00Z', auditctl: { run: 'r' } }, 35],
  ] as const) {
    test(`tells when an event of ${type} happened by its bytes, wherever they were copied to: minute ${at}`, () => {
      const bytes = Buffer.from(JSON.stringify(event))
      const body = Buffer.concat([Buffer.from('{"createdAt":"2001-01-01"}\n'), bytes, Buffer.from('\n{"x":')])
      const copied = body.subarray(27, 27 + bytes.length)
      const minute = (found: { readonly atMs: number }) => Math.floor((found.atMs - FROM) / MINUTE_MS)
      for (const known of [type, undefined]) {
        const found = originOf(copied, known)
        assert.deepEqual([found.type, minute(found)], [type, at])
      }
    })
  }

  test('takes events whose bytes were packed into one body since they were encoded', async () => {
    const bucket = memoryBucket()
    const { destination } = await archiveStream(bucket)
    const batch = batchOf(destination, EVENTS)
    const body = Buffer.concat(batch.encoded)
    let end = 0
    const encoded = batch.encoded.map((bytes) => {
      end += bytes.length
      return body.subarray(end - bytes.length, end)
    })
    const receipt = await destination.deliver({ ...batch, encoded }, { signal })
    assert.deepEqual(new Set(fates(receipt, 5)), new Set(['accepted']))
    assert.equal(data(bucket).length, 3)
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

  test('a manifest has the keys of every manifest: whose run it was, over which window, and where nothing was', async () => {
    const bucket = memoryBucket()
    const { destination } = await archiveStream(bucket)
    const query = { mode: 'missing', filter: { fields: {} } }
    const window = { from: FROM - HOUR_MS / 2, to: FROM + 6 * HOUR_MS }
    const source = { name: 'prod@eu', type: 'infisical' }
    destination.begins?.({ run: 'run-1', source, window, query, version: '1.2.3' })
    await destination.deliver(batchOf(destination, [...EVENTS.slice(0, 2), at(5, 179)]), { signal })
    await destination.close()
    const [key = ''] = manifests(bucket)
    assert.equal(key, 'source=prod-eu/_run-1.manifest.json')
    assert.ok(data(bucket).every((name) => name.startsWith('source=prod-eu/dt=2026-11-20/')))
    const { files, totals, idDigest, createdAt, ...rest } = JSON.parse(
      (bucket.objects.get(key) ?? '').toString(),
    )
    assert.deepEqual(rest, {
      version: 1,
      runId: 'run-1',
      tool: { name: 'auditctl', version: '1.2.3' },
      source,
      window: { from: '2026-11-20T01:30:00.000Z', to: '2026-11-20T08:00:00.000Z' },
      query,
      queryHash: digest('sha256', JSON.stringify(query)),
      format: 'jsonl',
      layout: 'hive',
      compression: 'gzip',
      emptyIntervals: [
        { from: '2026-11-20T01:30:00.000Z', to: '2026-11-20T02:00:00.000Z' },
        { from: '2026-11-20T03:00:00.000Z', to: '2026-11-20T04:00:00.000Z' },
        { from: '2026-11-20T05:00:00.000Z', to: '2026-11-20T08:00:00.000Z' },
      ],
      complete: true,
      reasons: [],
      previousManifestSha256: null,
    })
    assert.deepEqual([files.length, totals.rows], [2, 3])
    assert.match(idDigest, /^[0-9a-f]{32}$/)
    assert.match(createdAt, /Z$/)
  })

  test('a run that was killed and resumed lists what both processes wrote, and verifying finds nothing foreign', async () => {
    const bucket = memoryBucket()
    const kept: string[] = []
    const journal = {
      lines: () => [...kept, '{"file":{"path":"cut o'],
      add: (line: string) => void kept.push(line),
    }
    const source = { name: 'prod', type: 'infisical' }
    const note = { run: 'run-1', source, window: WINDOW, query: {}, version: '1.2.3', journal }
    const killed = (await archiveStream(bucket)).destination
    killed.begins?.(note)
    await killed.deliver(batchOf(killed, EVENTS.slice(0, 3)), { signal })
    assert.deepEqual(manifests(bucket), [], 'it never came to its end')
    const resumed = (await archiveStream(bucket)).destination
    resumed.begins?.(note)
    // The last batch is sent again, since nobody knows what became of it.
    await resumed.deliver(batchOf(resumed, EVENTS.slice(2)), { signal })
    await resumed.close()
    const [key = '', ...more] = manifests(bucket)
    assert.deepEqual(more, [])
    const manifest = JSON.parse((bucket.objects.get(key) ?? '').toString())
    assert.deepEqual(
      manifest.files.map(({ path }: { path: string }) => `source=prod/${path}`),
      data(bucket),
    )
    assert.equal(new Set(kept).size, kept.length)
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

  test('an inventory reads around NUL bytes, broken lines and foreign bytes, in any encoding, and says where they lie', async () => {
    const bucket = memoryBucket()
    const line = (number: number) => JSON.stringify(streamedEvent(number, FROM + number * MINUTE_MS))
    const folder = 'source=infisical/dt=2026-11-20/hour=02/'
    const foreign = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a])
    bucket.objects.set(
      `${folder}part-1.jsonl`,
      Buffer.concat([Buffer.from(`${line(1)}\nNUL \u0000 here\n`), foreign, Buffer.from(`${line(2)}\n`)]),
    )
    bucket.objects.set(`${folder}part-2.jsonl`, Buffer.from(`\ufeff${line(3)}\n${line(4)}\n`, 'utf16le'))
    bucket.objects.set(`${folder}part-3.jsonl.gz`, gzipSync(`\ufeff${line(5)}\n{"id":\n`))
    bucket.objects.set(`${folder}somebody-elses.parquet`, Buffer.from('PAR1'))
    const { inventory, warned } = await archiveStream(bucket)
    const { ids, reason } = await heldIn(inventory, WINDOW)
    assert.equal(reason, undefined)
    assert.deepEqual(ids.map((id) => Number(id.slice(-12))).sort(), [1, 2, 3, 4, 5])
    assert.deepEqual(
      warned.map((text) => /(part-\d).*(line \d)/.exec(text)?.slice(1)),
      [
        ['part-1', 'line 2'],
        ['part-3', 'line 2'],
      ],
    )
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
