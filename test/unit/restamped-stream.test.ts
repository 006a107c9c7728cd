import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { backfillCommand } from '../../src/cli/commands/backfill.ts'
import type { RunReport } from '../../src/core/report.ts'
import { sandboxBench } from './cli/sandbox-bench.ts'

const EVENTS = 200
/** Everything is late, and a row sent without its own time stands outside the window that is asked about. */
const LATE = { acceptWindow: { past: '1s' }, grace: '1s' }

/** Where the provider lets a row be dated by arrival; `error` stores a batch and answers as if it had not. */
const STREAMS = [
  { provider: 'splunk', name: 'soc', error: 'splunk:error-after' },
  { provider: 'datadog', name: 'dd', error: 'datadog:error-after' },
  { provider: 'azure', name: 'sentinel', error: 'azure:error-after' },
  { provider: 'better-stack', name: 'bs', error: 'better-stack:error-after' },
  { provider: 'xsiam', name: 'xsiam', error: 'xsiam:error-after' },
] as const

describe('events that --late restamp sends without their own time', () => {
  for (const { provider, name, error } of STREAMS) {
    test(`are found again at ${provider}: settled, verified, and not sent twice`, async (t) => {
      const bench = await sandboxBench(t, { services: [provider], events: EVENTS })
      const config = bench.sandbox.config as { readonly streams: Record<string, object> }
      bench.write({ ...config, streams: { [name]: { ...config.streams[name], ...LATE } } })
      const service = bench.sandbox.services[provider]
      const [url = ''] = Object.values(service?.urls ?? {})
      await fetch(`${url}/__emulator/reset`, { method: 'POST' })
      assert.deepEqual(service?.receivedIds?.(), [])
      const refill = async () => {
        const given = { from: '1d', late: 'restamp', verify: true, yes: true, settle: '0s' }
        const { exitCode, stdout, log } = await bench.run(backfillCommand, 'backfill', [], {
          ...given,
          stream: name,
          output: 'json',
        })
        return { exitCode, report: JSON.parse(stdout) as RunReport, log }
      }
      bench.faults.add(error)
      const first = await refill()
      assert.deepEqual(first.report.problems, [], first.log)
      const { delivered, duplicatesPossible, verified, stillMissing } = first.report
      assert.deepEqual(
        { delivered, duplicatesPossible, verified, stillMissing },
        { delivered: EVENTS, duplicatesPossible: 0, verified: true, stillMissing: 0 },
      )
      const fate = provider === 'azure' ? /their true time is lost/ : /their true time stays in the event/
      assert.match(first.report.warnings.join(), fate)
      const received = service?.receivedIds?.() ?? []
      assert.deepEqual([received.length, new Set(received).size], [EVENTS, EVENTS])
      // The reads of the first run are events too; nothing that was sent is sent again.
      await refill()
      const after = service?.receivedIds?.() ?? []
      assert.equal(new Set(after).size, after.length)
    })
  }

  for (const fault of ['reset-before', 'reset-after']) {
    test(`are counted once, however often they were sent: ${fault}`, async (t) => {
      const faults = ['infisical:clickhouse']
      const bench = await sandboxBench(t, { services: ['splunk'], events: EVENTS, faults })
      const config = bench.sandbox.config as { readonly streams: Record<string, object> }
      bench.write({ ...config, streams: { soc: { ...config.streams['soc'], ...LATE } } })
      await fetch(`${bench.sandbox.urls['splunk']}/__emulator/reset`, { method: 'POST' })
      bench.faults.add(`splunk:${fault}`)
      const given = { from: '1d', late: 'restamp', yes: true, settle: '0s', stream: 'soc', output: 'json' }
      const { stdout } = await bench.run(backfillCommand, 'backfill', [], given)
      const { delivered, notRebuilt, warnings } = JSON.parse(stdout) as RunReport
      assert.deepEqual([delivered, notRebuilt], [EVENTS, { expiresAt: EVENTS }])
      assert.match(warnings.join(), new RegExp(`\\b${EVENTS} events were sent without their own time`))
    })
  }
})
