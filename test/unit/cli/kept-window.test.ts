import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openJob } from '../../../src/cli/backfill-run.ts'
import type { Destination } from '../../../src/core/destination.ts'
import { UnavailableError } from '../../../src/core/errors.ts'
import type { Inventory } from '../../../src/core/inventory.ts'
import { DAY_MS } from '../../../src/core/time-range.ts'
import { faultPlan } from '../../../src/sandbox/faults.ts'
import { startSplunk } from '../../../src/sandbox/splunk/index.ts'
import { FAKE_START } from '../../support/fake-clock.ts'
import { startTrial } from '../../support/trial.ts'
import { fakeRuntime, invocation } from './fake-runtime.ts'

const signal = new AbortController().signal
const KEPT_MS = 30 * DAY_MS

async function acceptsOf(
  accepts: Destination['traits']['accepts'],
  options: object = {},
  keepsMs: Inventory['keepsMs'] = async () => KEPT_MS,
) {
  const destination = { name: 'soc', traits: { accepts } }
  const stream = { destination, options, inventory: { keepsMs }, isUndatedFile: false }
  const parts = { stream, invocation: invocation('backfill'), runtime: fakeRuntime({}).runtime }
  const job = await openJob(parts as unknown as Parameters<typeof openJob>[0])
  return job.stream.destination.traits.accepts
}

describe('a run', () => {
  for (const [title, accepts, options, keepsMs, expected] of [
    ['calls late what the far side would soon delete', {}, {}, async () => KEPT_MS, { pastMs: KEPT_MS }],
    [
      'keeps the window ahead beside it',
      { futureMs: 5 },
      {},
      async () => KEPT_MS,
      { futureMs: 5, pastMs: KEPT_MS },
    ],
    ['keeps a shorter window', { pastMs: DAY_MS }, {}, async () => KEPT_MS, { pastMs: DAY_MS }],
    ['takes the word of the stream', {}, { acceptWindow: { past: 1 } }, async () => KEPT_MS, {}],
    ['asks nothing where events are dated by arrival', {}, { eventTime: false }, async () => KEPT_MS, {}],
    ['goes on where the retention may not be read', {}, {}, async () => undefined, {}],
    ['goes on where nobody answers', {}, {}, async () => Promise.reject(new UnavailableError('down')), {}],
  ] as const) {
    test(title, async () => assert.deepEqual(await acceptsOf(accepts, options, keepsMs), expected))
  }

  test('leaves a bug a bug', async () => {
    await assert.rejects(
      acceptsOf({}, {}, () => Promise.reject(new TypeError('bug'))),
      TypeError,
    )
  })
})

for (const [retentionMs, expected] of [
  [KEPT_MS, KEPT_MS],
  // No limit at all would be said so; nothing could be sent then.
  [0, undefined],
] as const) {
  test(`the splunk inventory tells that its index keeps events for ${retentionMs} ms, where one is named`, async () => {
    const now = () => FAKE_START
    const how = { seed: 1, generation: '2026', recent: false, faults: faultPlan(), now } as const
    const sandbox = await startSplunk(how, { retentionMs })
    const trial = await startTrial('splunk')
    try {
      const settings = Object.values(sandbox.config.streams ?? {})[0] ?? assert.fail()
      assert.equal(await (await trial.inventory(settings)).keepsMs?.(signal), expected)
      const search = { ...(settings['search'] as object), index: undefined }
      const unnamed = await trial.inventory({ ...settings, index: undefined, search })
      assert.equal(await unnamed.keepsMs?.(signal), undefined)
    } finally {
      await trial.close()
      await sandbox.close()
    }
  })
}
