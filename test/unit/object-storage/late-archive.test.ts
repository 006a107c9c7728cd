import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openArchive } from '../../../src/cli/archive-bucket.ts'
import { withAbsolutePaths } from '../../../src/cli/entries.ts'
import { UserError } from '../../../src/core/errors.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'
import type { BackfillParts } from '../../../src/operations/backfill/types.ts'
import { type MemoryBucket, memoryBucket, s3Error } from '../../support/memory-objects.ts'
import { type Bench, idsOf, linesOf, withBench } from '../../support/scripted-backfill.ts'
import { fakeRuntime, invocation } from '../cli/fake-runtime.ts'

// The window begins five hours ago; of 40 events in four hours, the ten of its first hour are late.
const accepts = { pastMs: 4 * HOUR_MS + 3 * MINUTE_MS }
const setup = { lines: linesOf(40), siem: { accepts } }
const URL = 's3://memory/late/'
const OPTIONS = { late: 'archive', archiveDir: URL } as const

function archiveIn(bucket: MemoryBucket, { clock }: Bench, url = URL): Promise<BackfillParts['archive']> {
  const { runtime } = fakeRuntime({})
  return openArchive(url, invocation('backfill'), { ...runtime, clock }, bucket.open)
}

function idsIn(bucket: MemoryBucket): string[] {
  return [...bucket.objects].flatMap(([key, content]) => {
    assert.match(key, /^late\/dt=\d{8}\/hour=\d\d\/archive_\d{6}\.\d{4}\.[0-9a-f]{22}\.json\.gz$/)
    const rows = gunzipSync(content).toString().trimEnd().split('\n')
    return rows.map((row) => {
      const { _id, attributes } = JSON.parse(row) as { _id: string; attributes: { id: string } }
      assert.equal(_id, attributes.id)
      return _id
    })
  })
}

describe('late events for a bucket', () => {
  test('lie there in the layout of Datadog, counted and not dead-lettered, and the message names the bucket', () =>
    withBench(setup, async (bench) => {
      const bucket = memoryBucket()
      const { report, exitCode } = await bench.run(OPTIONS, { archive: await archiveIn(bucket, bench) })
      assert.equal(exitCode, 0)
      assert.deepEqual([report.late, report.archived, report.delivered], [10, 10, 30])
      assert.equal(report.deadLetter, null)
      assert.match(
        report.warnings.join(),
        /10 events are too late for soc and were written to s3:\/\/memory\/late\//,
      )
      assert.deepEqual(idsIn(bucket).toSorted(), idsOf(10))
    }))

  test('are written once where a run ends between writing and recording', () =>
    withBench(setup, async (bench) => {
      const bucket = memoryBucket()
      // Written; what became of it is never heard.
      bucket.fault = (call) => (call.startsWith('head ') ? s3Error(403, 'AccessDenied') : undefined)
      const first = await bench.run(OPTIONS, { archive: await archiveIn(bucket, bench) })
      assert.equal(first.exitCode, 5)
      assert.deepEqual([first.report.archived, bucket.objects.size], [0, 1])
      const before = new Map(bucket.objects)
      bucket.fault = undefined
      const { report, exitCode } = await bench.resume(first.report.run ?? '', OPTIONS, {
        archive: await archiveIn(bucket, bench),
      })
      assert.equal(exitCode, 0)
      assert.deepEqual([report.late, report.archived, report.delivered, report.pending], [10, 10, 30, 0])
      assert.deepEqual(idsIn(bucket).toSorted(), idsOf(10))
      for (const [key, content] of before) assert.deepEqual(bucket.objects.get(key), content)
    }))

  test('are written again after a refusal that passes', () =>
    withBench(setup, async (bench) => {
      const bucket = memoryBucket()
      let refusals = 3
      bucket.fault = (call) =>
        call.startsWith('create ') && refusals-- > 0 ? s3Error(503, 'SlowDown') : undefined
      const { report, exitCode } = await bench.run(OPTIONS, { archive: await archiveIn(bucket, bench) })
      assert.deepEqual([exitCode, report.archived], [0, 10])
      assert.deepEqual(idsIn(bucket).toSorted(), idsOf(10))
    }))

  for (const [title, error, exit] of [
    ['a policy that refuses writing', s3Error(403, 'AccessDenied'), 5],
    ['an expired web identity', s3Error(400, 'ExpiredToken'), 5],
    ['a store that is down', s3Error(500, 'InternalError'), 6],
  ] as const) {
    test(`${title} ends the run with exit ${exit}, and nothing counts as archived`, () =>
      withBench(setup, async (bench) => {
        const bucket = memoryBucket()
        bucket.fault = (call) => (call.startsWith('create ') ? error : undefined)
        const { report, exitCode } = await bench.run(OPTIONS, { archive: await archiveIn(bucket, bench) })
        assert.equal(exitCode, exit)
        assert.equal(report.archived, 0)
        assert.match(report.problems.join(), /S3 did not write s3:\/\/memory\/late\/dt=/)
        bucket.fault = undefined
        const resumed = await bench.resume(report.run ?? '', OPTIONS, {
          archive: await archiveIn(bucket, bench),
        })
        assert.deepEqual([resumed.exitCode, resumed.report.archived], [0, 10])
        assert.deepEqual(idsIn(bucket).toSorted(), idsOf(10))
      }))
  }

  test('are never taken for written where something else lies under the name', () =>
    withBench(setup, async (bench) => {
      const bucket = memoryBucket()
      bucket.fault = (call) => {
        if (call.startsWith('create ')) bucket.objects.set(call.slice('create '.length), Buffer.from('other'))
        return undefined
      }
      const { report, exitCode } = await bench.run(OPTIONS, { archive: await archiveIn(bucket, bench) })
      assert.equal(exitCode, 6)
      assert.equal(report.archived, 0)
      assert.match(report.problems.join(), /holds something else/)
    }))
})

describe('archive.dir', () => {
  for (const [dir, expected] of [
    ['late', '/etc/auditctl/late'],
    ['/var/late', '/var/late'],
    ['s3://bucket/late', 's3://bucket/late'],
    ['azblob://container/late', 'azblob://container/late'],
  ] as const) {
    test(`${dir} is ${expected}`, () => {
      assert.deepEqual(withAbsolutePaths({ archive: { dir } }, '/etc/auditctl'), {
        archive: { dir: expected },
      })
    })
  }

  for (const dir of ['https://example.com/late', 's3://bucket/*/late', 'ftp://host/late']) {
    test(`${dir} is refused before anything is sent`, async () => {
      const { runtime } = fakeRuntime({})
      await assert.rejects(openArchive(dir, invocation('backfill'), runtime), (error: unknown) => {
        assert.ok(error instanceof UserError)
        assert.match(error.message, /archive\.dir/)
        return true
      })
    })
  }

  test('a folder opens no bucket', async () => {
    const { runtime } = fakeRuntime({})
    assert.equal(await openArchive('/var/late', invocation('backfill'), runtime), undefined)
  })
})
