import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gapsOf, type Outage, refill, startOutage } from '../support/circleci-outage.ts'

async function withOutage(work: (outage: Outage) => Promise<void>): Promise<void> {
  const outage = await startOutage()
  try {
    await work(outage)
  } finally {
    await outage.close()
  }
}

describe('a CircleCI outage', () => {
  test('is found in the archive and refilled into Splunk, and what the archive lacks from a CSV download', () =>
    withOutage(async (outage) => {
      const { undelivered, lost, count } = outage
      // What Splunk lost and the archive holds.
      const inArchive = await gapsOf(outage, 'archive')
      assert.deepEqual([inArchive.code, inArchive.missing, inArchive.gaps.length], [3, count(lost), 1])
      const [gap] = inArchive.gaps
      assert.ok(gap !== undefined && Date.parse(gap.from) >= lost.from && Date.parse(gap.to) <= lost.to)
      const first = await refill(outage, 'archive')
      assert.deepEqual([first.delivered, first.verified, first.stillMissing], [count(lost), true, 0])
      assert.equal((await gapsOf(outage, 'archive')).code, 0)

      // What CircleCI never delivered: only the download has it.
      const inDownload = await gapsOf(outage, 'csv')
      assert.deepEqual([inDownload.code, inDownload.missing], [3, count(undelivered)])
      const second = await refill(outage, 'csv')
      assert.deepEqual([second.delivered, second.verified], [count(undelivered), true])
      outage.assertHeldOnce()
      assert.equal((await gapsOf(outage, 'csv')).missing, 0)
      assert.equal((await refill(outage, 'csv')).delivered, 0)
      outage.assertHeldOnce()
    }))

  test('shows as a gap of the archive itself, compared with a CSV download', () =>
    withOutage(async (outage) => {
      const { undelivered, count, folder, run, window } = outage
      const held = await run(['query', '--source', 'archive', ...window, '-o', 'jsonl'])
      assert.equal(held.code, 0, held.stderr)
      writeFileSync(join(folder, 'held.jsonl'), held.stdout)
      const covers = `${window[1]}/${window[3]}`
      const found = await gapsOf(outage, 'csv', 'soc', [
        '--inventory',
        'held.jsonl',
        '--inventory-window',
        covers,
      ])
      assert.deepEqual([found.code, found.missing, found.unexpected], [3, count(undelivered), 0])
      assert.equal(found.gaps.length, 1)
    }))
})
