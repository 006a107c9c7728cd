/**
 * Peak memory of a backfill whose receiver is slower than its source, which must not depend on its size.
 * `npm run bench backfill-memory [-- --large=600000 --small=200000]`
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startReceiver } from './support/receiver.ts'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl, PEAK_HOOK, run } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'

const sizes = [numberFlag('small', 200_000), numberFlag('large', 600_000)]
/** With four requests in flight about a quarter of the speed at which events are encoded. */
const DELAY_MS = 100
const MAX_MIB = 220

const receiver = await startReceiver({ delayMs: DELAY_MS })
try {
  for (const compress of ['none', 'gzip']) {
    for (const events of sizes) {
      await withSandbox(events, [], async (bench) => {
        const token = String(bench.config.streams['soc']?.['token'])
        const stream = { provider: 'splunk', url: receiver.url, token, index: 'audit', compress }
        bench.writeConfig({ ...bench.config, streams: { soc: stream } })
        const peak = join(bench.folder, 'peak')
        const words = ['backfill', '--stream', 'soc', ...bench.window, '--all', '--new', '--yes', '-q']
        await run(auditctl(...words), {
          env: { ...bench.env, NODE_OPTIONS: `--import=${PEAK_HOOK}`, BENCH_PEAK_FILE: peak },
        })
        await receiver.take()
        const mib = Number(readFileSync(peak, 'utf8')) / 1024
        print(
          `  ${compress.padEnd(6)} ${String(events).padStart(9)} events ${mib.toFixed(0).padStart(6)} MiB`,
        )
        verdict(`MiB at most, ${compress}, ${events} events`, mib, { atMost: MAX_MIB })
      })
    }
  }
} finally {
  await receiver.close()
}
