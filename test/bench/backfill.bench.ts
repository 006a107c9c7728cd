/** Backfill of the built program against the naive pipeline; batches are weighed where they arrive. `npm run bench backfill [-- --events 600000 --rounds 3]` */
import assert from 'node:assert/strict'
import { compare, costOf } from './support/compare.ts'
import { type Arrivals, startReceiver } from './support/receiver.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, naive, run } from './support/run.ts'
import { naiveArgs, withSandbox } from './support/sandbox.ts'

const events = numberFlag('events', 600_000)
const rounds = numberFlag('rounds', 3)
/** Splunk's defaults, those of this stream. */
const MAX_EVENTS = 1000
const MAX_BYTES = 1_000_000

const receiver = await startReceiver()
try {
  await withSandbox(events, [], async (bench) => {
    const { soc } = bench.config.streams
    const token = String(soc?.['token'])
    const stream = { provider: 'splunk', url: receiver.url, token, index: 'audit' }
    bench.writeConfig({ ...bench.config, streams: { soc: stream } })
    let arrived: Arrivals = { bodies: [] }
    const medians = await compare(
      [
        {
          name: 'auditctl backfill --all',
          run: async () => {
            const cost = await run(
              auditctl('backfill', '--stream', 'soc', ...bench.window, '--all', '--new', '--yes', '-q'),
              { env: bench.env, isFresh: true },
            )
            arrived = await receiver.take()
            assert.equal(sum(arrived, 'events'), events, 'every event arrived once')
            return cost
          },
        },
        {
          name: 'naive',
          run: async () => {
            const cost = await run(naive('backfill', ...naiveArgs(bench, receiver.url, token)))
            assert.equal(sum(await receiver.take(), 'events'), events)
            return cost
          },
        },
      ],
      rounds,
    )
    print(`  ${events} events, ${rounds} rounds, medians`)
    printCosts(medians, events)
    const ratio = costOf(medians, 'naive').cpuSeconds / costOf(medians, 'auditctl backfill --all').cpuSeconds
    verdict('times the naive pipeline', ratio, { atLeast: 2.5 })
    const fullness = arrived.bodies.map(({ events: held, bytes }) =>
      Math.max(held / MAX_EVENTS, bytes / MAX_BYTES),
    )
    const mean = fullness.reduce((total, share) => total + share, 0) / fullness.length
    verdict(`percent full, mean of ${fullness.length} batches`, mean * 100, { atLeast: 95 })
    verdict('of the limit, the fullest batch', Math.max(...fullness), { atMost: 1 })
  })
} finally {
  await receiver.close()
}

function sum({ bodies }: Arrivals, key: 'events' | 'bytes'): number {
  return bodies.reduce((total, body) => total + body[key], 0)
}
