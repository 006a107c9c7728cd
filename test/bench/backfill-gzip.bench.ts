/**
 * What `"compress": "gzip"` costs: the same backfill with plain bodies and with gzip level 1, which is packed in pool threads. The CPU is that
 * of the whole process, those threads included. `npm run bench backfill-gzip [-- --events=300000 --rounds=3]`
 */
import assert from 'node:assert/strict'
import { compare, costOf } from './support/compare.ts'
import { startReceiver } from './support/receiver.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, run } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'

const events = numberFlag('events', 300_000)
const rounds = numberFlag('rounds', 3)

const receiver = await startReceiver()
try {
  await withSandbox(events, [], async (bench) => {
    const token = String(bench.config.streams['soc']?.['token'])
    const stream = { provider: 'splunk', url: receiver.url, token, index: 'audit' }
    bench.writeConfig({
      ...bench.config,
      streams: { plain: { ...stream, compress: 'none' }, gzip: { ...stream, compress: 'gzip' } },
    })
    const backfill = async (name: string) => {
      const words = ['backfill', '--stream', name, ...bench.window, '--all', '--new', '--yes', '-q']
      const cost = await run(auditctl(...words), { env: bench.env, isFresh: true })
      const { bodies } = await receiver.take()
      assert.equal(
        bodies.reduce((total, body) => total + body.events, 0),
        events,
        'every event arrived once',
      )
      assert.ok(bodies.every(({ packed }) => packed === (name === 'gzip')))
      return cost
    }
    const medians = await compare(
      ['plain', 'gzip'].map((name) => ({ name, run: () => backfill(name) })),
      rounds,
    )
    print(`  ${events} events, ${rounds} rounds, medians`)
    printCosts(medians, events)
    const ratio = costOf(medians, 'gzip').cpuSeconds / costOf(medians, 'plain').cpuSeconds
    verdict('times the CPU of plain bodies', ratio, { atMost: 2.5 })
  })
} finally {
  await receiver.close()
}
