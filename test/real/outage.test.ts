import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gapsOf, type Outage, refill, startOutage } from '../support/circleci-outage.ts'
import { SDK_ENVIRONMENT } from './sdk-environment.ts'

/** The bucket as a source (`ci`), and as an archive that can be compared (`bucket`). */
async function withBucket(work: (outage: Outage) => Promise<void>): Promise<void> {
  const outage = await startOutage({ env: SDK_ENVIRONMENT })
  try {
    const ci = outage.circleci.config.sources?.['ci'] ?? {}
    const { type: _, ...place } = ci
    outage.configure({
      sources: { ci },
      streams: { bucket: { ...place, provider: 's3', layout: 'circleci' } },
    })
    await work(outage)
  } finally {
    await outage.close()
  }
}

describe('a CircleCI outage, with the bucket itself', () => {
  test('the archive’s completeness is checked against a download', () =>
    withBucket(async (outage) => {
      const { undelivered, count } = outage
      const found = await gapsOf(outage, 'csv', 'bucket')
      assert.deepEqual([found.code, found.missing, found.unexpected], [3, count(undelivered), 0])
      const [gap, ...more] = found.gaps
      assert.deepEqual(more, [])
      assert.ok(gap !== undefined && Date.parse(gap.from) >= undelivered.from)
      assert.ok(Date.parse(gap.to) <= undelivered.to)
      assert.ok((found.duplicates ?? 0) > 0, 'some files come twice')
      // What the bucket holds, it holds.
      assert.equal((await gapsOf(outage, 'ci', 'bucket')).code, 0)
      assert.deepEqual(outage.circleci.violations, [])
    }))

  test('what Splunk lost is found in the bucket and refilled, and what the bucket lacks from the download', () =>
    withBucket(async (outage) => {
      const { undelivered, lost, count } = outage
      const found = await gapsOf(outage, 'ci', 'soc')
      assert.deepEqual([found.code, found.missing, found.gaps.length], [3, count(lost), 1])
      const first = await refill(outage, 'ci')
      assert.deepEqual([first.delivered, first.verified, first.stillMissing], [count(lost), true, 0])
      assert.equal((await gapsOf(outage, 'ci', 'soc')).code, 0)
      const second = await refill(outage, 'csv')
      assert.deepEqual([second.delivered, second.verified], [count(undelivered), true])
      outage.assertHeldOnce()
      assert.deepEqual(outage.circleci.violations, [])
    }))
})
