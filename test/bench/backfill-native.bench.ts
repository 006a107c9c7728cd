/**
 * Backfill of events that go as they are: a source other than Infisical in the provider's own envelope, against fetch, zod, the same envelope by
 * objects and fetch POST. `npm run bench backfill-native [-- --events=600000 --rounds=5]`
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, costOf } from './support/compare.ts'
import { startNativeSource } from './support/native-source.ts'
import { startReceiver } from './support/receiver.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, naive, run } from './support/run.ts'

const events = numberFlag('events', 600_000)
const rounds = numberFlag('rounds', 5)

const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
const source = await startNativeSource(events)
const receiver = await startReceiver({ mark: '"request_id":' })
try {
  const { window } = source
  const [, from = '', , to = ''] = window
  const env = { AUDITCTL_CONFIG: join(folder, 'config.json'), AUDITCTL_STATE_DIR: join(folder, 'state') }
  // The same batches on both sides.
  const splunk = { url: receiver.url, batch: { maxEvents: 1000, maxBytes: 1_000_000 } }
  const custom = { url: `${receiver.url}/in`, batch: { maxEvents: 400, maxBytes: 700_000 } }
  const config = {
    version: 1,
    // Its own limit of 50 queries a minute would hide what is measured.
    sources: { vault: { type: 'scaivault', url: source.url, token: 'bench', tenant: 'bench', rate: 10_000 } },
    streams: {
      splunk: { provider: 'splunk', token: 'bench', index: 'audit', ...splunk },
      custom: { provider: 'custom', ...custom },
    },
  }
  writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
  const arrived = async (): Promise<number> =>
    (await receiver.take()).bodies.reduce((total, body) => total + body.events, 0)
  for (const [stream, url, { batch }] of [
    ['splunk', `${receiver.url}/services/collector/event`, splunk],
    ['custom', custom.url, custom],
  ] as const) {
    const medians = await compare(
      [
        {
          name: `auditctl backfill --all, ${stream}`,
          run: async () => {
            const cost = await run(
              auditctl('backfill', '--stream', stream, ...window, '--all', '--new', '--yes', '-q'),
              { env, isFresh: true },
            )
            assert.equal(await arrived(), events, 'every event arrived once')
            return cost
          },
        },
        {
          name: 'naive',
          run: async () => {
            const cost = await run(
              naive(
                'backfill-native',
                source.url,
                from,
                to,
                url,
                stream,
                `${batch.maxEvents}`,
                `${batch.maxBytes}`,
              ),
            )
            assert.equal(await arrived(), events)
            return cost
          },
        },
      ],
      rounds,
    )
    print(`  ${events} events, ${rounds} rounds, medians`)
    printCosts(medians, events)
    const own = costOf(medians, `auditctl backfill --all, ${stream}`).cpuSeconds
    verdict(`times the naive pipeline, ${stream}`, costOf(medians, 'naive').cpuSeconds / own, { atLeast: 3 })
  }
} finally {
  await receiver.close()
  await source.close()
  rmSync(folder, { recursive: true, force: true })
}
