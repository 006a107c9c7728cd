/** JSONL export of the built program against the naive pipeline and the floor. `npm run bench export-jsonl [-- --events 1500000 --rounds 3]` */
import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compare, costOf } from './support/compare.ts'
import { idDigest } from './support/ids.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, naive, run } from './support/run.ts'
import { naiveArgs, withSandbox } from './support/sandbox.ts'

const events = numberFlag('events', 1_500_000)
const rounds = numberFlag('rounds', 3)

await withSandbox(events, [], async (bench) => {
  const { folder, env, window } = bench
  const file = (name: string): string => join(folder, name)
  const ours = (out: string): string[] =>
    auditctl('export', ...window, '--format', 'jsonl', '--out', out, '--overwrite', '-q')
  const medians = await compare(
    [
      { name: 'auditctl, one file', run: () => run(ours(file('ours.jsonl')), { env }) },
      {
        name: 'auditctl, folder with manifest',
        run: async () => {
          rmSync(file('ours'), { recursive: true, force: true })
          return run(ours(`${file('ours')}/`), { env })
        },
      },
      { name: 'naive', run: () => run(naive('export-jsonl', ...naiveArgs(bench, file('naive.jsonl')))) },
      { name: 'floor', run: () => run(naive('floor-jsonl', ...naiveArgs(bench, file('floor.jsonl')))) },
    ],
    rounds,
  )
  print(`  ${events} events, ${rounds} rounds, medians`)
  printCosts(medians, events)
  const own = costOf(medians, 'auditctl, one file').cpuSeconds
  const floor = costOf(medians, 'floor').cpuSeconds
  verdict('times the naive pipeline', costOf(medians, 'naive').cpuSeconds / own, { atLeast: 4 })
  verdict('of the floor, one file', own / floor, { atMost: 1.5 })
  verdict('of the floor, folder', costOf(medians, 'auditctl, folder with manifest').cpuSeconds / floor, {
    atMost: 2,
  })
  const ids = await idDigest([file('ours.jsonl')])
  assert.equal(ids.count, events)
  assert.deepEqual(await idDigest([file('naive.jsonl')]), ids, 'the same events as the naive pipeline')
  assert.deepEqual(await idDigest(partsOf(file('ours'))), ids, 'the same events in the folder')
})

function partsOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.jsonl'))
    .map((path) => join(folder, path))
}
