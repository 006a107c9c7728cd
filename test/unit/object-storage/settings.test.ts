import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { settingsFor } from '../../../src/cli/entry-actions.ts'
import type { HttpClient } from '../../../src/core/http.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import type { OpenStore } from '../../../src/storage/objects/open-store.ts'
import { heldIn } from '../../support/archive-stream.ts'
import { FAKE_START, fakeClock } from '../../support/fake-clock.ts'
import { memoryBucket } from '../../support/memory-objects.ts'
import { fakeRuntime, invocation } from '../cli/fake-runtime.ts'
import { tempFolder } from '../config/temp-folder.ts'

const signal = new AbortController().signal
const CONFIG = {
  version: 1,
  sources: {
    prod: { type: 'infisical', url: 'https://i.example', auth: { method: 'token', token: 'x' } },
    ci: { type: 'circleci', bucket: 'circle-audit' },
    other: { type: 'circleci', bucket: 'other-audit' },
    csv: { type: 'file', path: 'downloads/*.csv', of: 'circleci' },
    old: { type: 'file', path: 'exports/' },
  },
  streams: { lake: { provider: 's3', bucket: 'lake', prefix: 'audit' } },
}

function setUp(t: TestContext, options: Record<string, unknown> = {}) {
  const path = join(tempFolder(t), 'config.json')
  writeFileSync(path, JSON.stringify(CONFIG), { mode: 0o600 })
  const { runtime } = fakeRuntime({ env: { AUDITCTL_CONFIG: path } })
  const bucket = memoryBucket()
  const timeouts: (number | undefined)[] = []
  const openStore: OpenStore = (settings, opened) => {
    timeouts.push(opened.timeoutMs)
    return bucket.open(settings, opened)
  }
  const parts = { http: {} as HttpClient, clock: fakeClock(FAKE_START), log: SILENT, openStore }
  return { bucket, timeouts, parts, load: () => settingsFor(invocation('gaps', [], options), runtime) }
}

describe('object stores of a command', () => {
  for (const [title, options, expected] of [
    ['take --timeout', { timeout: '7s' }, 7000],
    ['keep their own time limit without it', {}, undefined],
  ] as const) {
    test(title, async (t) => {
      const { timeouts, parts, load } = setUp(t, options)
      const settings = await load()
      const destination = await settings.openStream('lake', parts)
      const inventory = await settings.openInventory('lake', 'circleci', parts)
      const source = await settings.openSource('ci', {
        ...parts,
        scratch: () => Promise.reject(new Error('nothing is spooled')),
        stdin: (async function* (): AsyncGenerator<Uint8Array> {})(),
        strict: false,
      })
      await destination.test({ send: false, signal })
      await inventory?.test(signal)
      await source.test(signal)
      assert.deepEqual(timeouts, [expected, expected, expected])
    })
  }

  for (const [source, type, expected] of [
    ['prod', 'infisical', ['prod', 'old']],
    ['ci', 'circleci', ['ci', 'csv']],
    ['csv', 'circleci', ['csv', 'ci', 'other']],
    [undefined, 'circleci', ['ci', 'other', 'csv']],
    [undefined, 'scaivault', ['scaivault']],
  ] as const) {
    test(`looks for the events of ${source ?? `any ${type}`} under ${expected.join(', ')}, and where nobody keeps sources apart`, async (t) => {
      const { bucket, parts, load } = setUp(t)
      const settings = await load()
      const sourceName = source === undefined ? {} : { sourceName: source }
      const inventory = await settings.openInventory('lake', type, { ...parts, ...sourceName })
      assert.ok(inventory)
      await heldIn(inventory, { from: FAKE_START - 1000, to: FAKE_START })
      const asked = new Set(bucket.calls.map((call) => /^\w+ audit\/(?:source=([^/]+)\/)?/.exec(call)?.[1]))
      assert.deepEqual([...asked], [...expected, undefined])
    })
  }
})
