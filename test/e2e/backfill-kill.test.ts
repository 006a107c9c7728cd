import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunReport } from '../../src/core/report.ts'
import { assertArithmetic } from '../support/scripted-backfill.ts'
import { seeded, startSplunkBench } from '../support/splunk-bench.ts'

/** `AUDITCTL_KILL_EVENTS=100000 AUDITCTL_KILLS=25` makes it the long one. */
const EVENTS = Number(process.env['AUDITCTL_KILL_EVENTS'] ?? 20_000)
const KILLS = Number(process.env['AUDITCTL_KILLS'] ?? 10)
const SEED = Number(process.env['AUDITCTL_KILL_SEED'] ?? 11)

test(`a backfill of ${EVENTS} events, killed ${KILLS} times at random moments, leaves every event at the receiver exactly once`, async () => {
  const bench = await startSplunkBench({
    events: EVENTS,
    stream: { batch: { maxEvents: 200 } },
    // Stored at once and answered late: a kill nearly always leaves requests of unknown outcome behind.
    faults: ['splunk:slowx*=30'],
  })
  const random = seeded(SEED)
  const rate = Math.ceil(EVENTS / KILLS)
  const command = ['backfill', '--stream', 'soc', ...bench.window, '--max-missing', '100%', '--verify']
  const received = (): number => bench.splunk.receivedIds?.().length ?? 0
  try {
    const moments: string[] = []
    let killed = 0
    for (let attempts = 0; killed < KILLS && attempts < 3 * KILLS; attempts += 1) {
      const { kill, ended } = bench.start([...command, '--max-rate', `${rate}/s`])
      const moment = random()
      const target = received() + 1 + Math.floor(random() * rate)
      // A third while it starts, settles or scans, by the clock; the others once so much more has arrived.
      const isEarly = killed % 3 === 0
      const reached = async (): Promise<void> => {
        while (received() < Math.min(target, EVENTS)) await sleep(5)
        await sleep(moment * 60)
      }
      await Promise.race([isEarly ? sleep(200 + moment * 800) : reached(), ended])
      kill('SIGKILL')
      const { signal, code, stderr } = await ended
      if (signal !== 'SIGKILL') {
        assert.equal(code, 0, stderr)
        break
      }
      killed += 1
      moments.push(`${isEarly ? 'early:' : ''}${received()}`)
    }
    process.stderr.write(`received by each kill: ${moments.join(' ')}\n`)
    assert.equal(killed, KILLS, 'the run ended before it was killed often enough')
    bench.faults.clear()
    const last = await bench.run(command)
    assert.equal(last.code, 0, last.stderr)
    bench.assertHeldOnce()
    const runs = (await bench.run(['runs', 'list', '-o', 'json'])).json<RunReport[]>()
    assert.equal(runs.length, 1)
    for (const report of runs) {
      assertArithmetic(report)
      assert.deepEqual(
        [report.status, report.delivered, report.duplicatesPossible, report.verified],
        ['completed', EVENTS, 0, true],
      )
    }
  } finally {
    await bench.close()
  }
})
