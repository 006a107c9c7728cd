/** Peak memory of an export, which must not depend on its size. `npm run bench memory [-- --large 3000000 --small 600000]` */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl, PEAK_HOOK, run } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'

const large = numberFlag('large', 3_000_000)
const small = numberFlag('small', 600_000)
const MAX_MB = 220

const peaks = new Map<string, number>()
for (const events of [small, large]) {
  await withSandbox(events, [], async ({ folder, env, window }) => {
    for (const format of ['jsonl', 'csv']) {
      const peak = join(folder, 'peak')
      await run(
        auditctl('export', ...window, '--format', format, '--out', join(folder, 'out'), '--overwrite', '-q'),
        {
          env: { ...env, NODE_OPTIONS: `--import=${PEAK_HOOK}`, BENCH_PEAK_FILE: peak },
        },
      )
      const mb = (Number(readFileSync(peak, 'utf8')) * 1024) / 1e6
      peaks.set(`${format} ${events}`, mb)
      print(
        `  ${format.padEnd(6)} ${String(events).padStart(9)} events ${mb.toFixed(0).padStart(6)} MB at most`,
      )
    }
  })
}
for (const format of ['jsonl', 'csv']) {
  const [few = 0, many = 0] = [small, large].map((events) => peaks.get(`${format} ${events}`) ?? Number.NaN)
  verdict(`MB at most, ${format}`, Math.max(few, many), { atMost: MAX_MB })
  verdict(`of the memory of ${small} events, ${format}`, many / few, { atMost: 1.25 })
}
