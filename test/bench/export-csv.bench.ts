/** CSV export of the built program against the naive csv-stringify pipeline. `npm run bench export-csv [-- --events 1500000 --rounds 3]` */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { compare, costOf } from './support/compare.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, naive, run } from './support/run.ts'
import { naiveArgs, withSandbox } from './support/sandbox.ts'

const events = numberFlag('events', 1_500_000)
const rounds = numberFlag('rounds', 3)

await withSandbox(events, [], async (bench) => {
  const { folder, env, window } = bench
  const file = (name: string): string => join(folder, name)
  const ours = (format: string, out: string): string[] =>
    auditctl('export', ...window, '--format', format, '--out', out, '--overwrite', '-q')
  const medians = await compare(
    [
      { name: 'auditctl', run: () => run(ours('csv', file('ours.csv')), { env }) },
      { name: 'naive', run: () => run(naive('export-csv', ...naiveArgs(bench, file('naive.csv')))) },
    ],
    rounds,
  )
  print(`  ${events} events, ${rounds} rounds, medians`)
  printCosts(medians, events)
  const ratio = costOf(medians, 'naive').cpuSeconds / costOf(medians, 'auditctl').cpuSeconds
  verdict('times the naive pipeline', ratio, { atLeast: 4 })
  await run(ours('jsonl', file('ours.jsonl')), { env })
  await run(naive('csv-reference', file('ours.jsonl'), file('reference.csv')))
  assert.equal(await sha256(file('ours.csv')), await sha256(file('reference.csv')))
  print('  the same bytes as the reference writer')
})

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
