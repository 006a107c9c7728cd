import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/core/event.ts'
import { type FaultPlan, faultPlan } from '../../src/sandbox/faults.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { startSplunk } from '../../src/sandbox/splunk/index.ts'
import { PLAIN_TOKEN, SEARCH_TOKEN } from '../../src/sandbox/splunk/profile.ts'
import { FAKE_START } from '../support/fake-clock.ts'

const OPTIONS = { seed: 1, generation: '2026', recent: false, now: () => FAKE_START } as const
const at = FAKE_START / 1000

describe('splunk sandbox, search', () => {
  let sandbox: SandboxService
  let faults: FaultPlan
  before(async () => {
    faults = faultPlan()
    sandbox = await startSplunk({ ...OPTIONS, faults })
    sandbox.preload?.(
      [0, 1, 2, 3].map((i) => ({
        id: `e${i}`,
        createdAt: new Date(FAKE_START - i * 1_800_000).toISOString(),
      })),
    )
  })
  after(() => sandbox.close())

  async function search(text: string, more: Record<string, string> = {}, token = SEARCH_TOKEN) {
    const body = new URLSearchParams({ search: text, output_mode: 'json', preview: 'false', ...more })
    const response = await fetch(`${sandbox.urls['splunkSearch']}/services/search/v2/jobs/export`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
    })
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            result?: JsonObject
            messages?: JsonObject[]
            preview?: boolean
            lastrow?: boolean
          },
      )
    return {
      status: response.status,
      lines,
      results: lines.flatMap((line): JsonObject[] => (line.result === undefined ? [] : [line.result])),
    }
  }
  const IDS =
    'search index=audit source=infisical sourcetype=_json | spath input=_raw path=id output=aid | table aid'

  test('the range includes its start and not its end, newest first', async () => {
    const { results, lines } = await search(IDS, {
      earliest_time: String((FAKE_START - 3_600_000) / 1000),
      latest_time: String(FAKE_START / 1000),
    })
    assert.deepEqual(results, [{ aid: 'e1' }, { aid: 'e2' }])
    assert.deepEqual(
      lines.map(({ lastrow }) => lastrow),
      [undefined, true],
    )
  })

  test('a range inside the text wins, and only a message tells', async () => {
    const { results, lines } = await search(IDS.replace(' |', ` latest=${at - 5000} |`), {
      earliest_time: String(at),
    })
    assert.deepEqual(results.length, 0)
    assert.equal(lines[0]?.messages?.[0]?.['type'], 'INFO')
  })

  test('counts come by bucket, empty buckets do not come', async () => {
    const counted = await search('| tstats count where index=audit by _time span=1h')
    assert.deepEqual(
      counted.results.map((row) => row['count']),
      ['1', '2', '1'],
    )
    const stats = await search(
      'search index=audit | spath input=_raw path=id output=aid | bin _time span=1h | stats count dc(aid) by _time',
    )
    assert.deepEqual(
      stats.results.map((row) => [row['count'], row['dc(aid)']]),
      [
        ['1', '1'],
        ['2', '2'],
        ['1', '1'],
      ],
    )
    assert.deepEqual((await search('| tstats count where index=audit by _time, id span=1h')).results, [])
    assert.deepEqual((await search('search index=other | stats count')).results, [{ count: '0' }])
  })

  test('what it does not understand, it refuses', async () => {
    for (const text of [
      'index=audit',
      'search index=audit | delete',
      'search index=audit | stats list(id)',
      'search user=x',
      'search index=audit | where at>5',
      'search index="audit',
    ]) {
      const { status, lines } = await search(text)
      assert.deepEqual([status, lines[0]?.messages?.[0]?.['type']], [400, 'FATAL'], text)
    }
  })

  test('a HEC token does not search, and a role that is narrowed says nothing', async () => {
    assert.equal((await search(IDS, {}, PLAIN_TOKEN)).status, 401)
    faults.add(`splunk:hide=${new Date(FAKE_START - 2_000_000).toISOString()}`)
    const { results, lines } = await search(IDS)
    faults.clear()
    assert.deepEqual(results, [{ aid: 'e0' }, { aid: 'e1' }])
    assert.ok(lines.every(({ messages }) => messages === undefined))
  })

  test('interim rows come unless they are declined', async () => {
    const { lines } = await search(IDS, { preview: 'true' })
    assert.ok(lines.some(({ preview }) => preview === true))
  })
})
