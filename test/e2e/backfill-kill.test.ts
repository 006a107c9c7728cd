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
  const bench = await startSplunkBench({ events: EVENTS, stream: { batch: { maxEvents: 200 } } })
  const random = seeded(SEED)
  const command = [
    'backfill',
    '--stream',
    'soc',
    ...bench.window,
    '--max-missing',
    '100%',
    '--max-rate',
    '20000/s',
    '--verify',
  ]
  try {
    const phases: string[] = []
    for (let kills = 0; kills < KILLS; ) {
      const before = bench.splunk.receivedIds?.().length ?? 0
      const { kill, ended } = bench.start(command)
      // Half of the kills early, where it starts, scans and settles; the others while it delivers and verifies.
      await Promise.race([sleep(random() < 0.5 ? 150 + random() * 500 : 400 + random() * 1500), ended])
      kill('SIGKILL')
      const { signal, code, stderr } = await ended
      const after = bench.splunk.receivedIds?.().length ?? 0
      if (signal !== 'SIGKILL') {
        assert.equal(code, 0, stderr)
        break
      }
      kills += 1
      phases.push(`${before}-${after}`)
    }
    const last = await bench.run(command)
    assert.equal(last.code, 0, last.stderr)
    bench.assertHeldOnce()
    const runs = (await bench.run(['runs', 'list', '-o', 'json'])).json<RunReport[]>()
    for (const report of runs) {
      assertArithmetic(report)
      assert.equal(report.status, 'completed')
      assert.equal(report.duplicatesPossible, 0)
    }
    process.stderr.write(`received before and after each kill: ${phases.join(' ')}\n`)
  } finally {
    await bench.close()
  }
})
