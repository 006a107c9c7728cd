/** 200 pages that take 100 ms each: eight connections against one, in order. `npm run bench latency [-- --pages 200]` */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl, run } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'

const pages = numberFlag('pages', 200)
const events = pages * 1000

await withSandbox(events, ['infisical:slow=100'], async ({ folder, env, window }) => {
  const wall = new Map<number, number>()
  for (const concurrency of [8, 1]) {
    const out = join(folder, `${concurrency}.jsonl`)
    const { wallSeconds } = await run(
      auditctl(
        'export',
        ...window,
        '--format',
        'jsonl',
        '--out',
        out,
        '--concurrency',
        `${concurrency}`,
        '-q',
      ),
      { env },
    )
    wall.set(concurrency, wallSeconds)
    print(
      `  ${concurrency} ${concurrency === 1 ? 'connection ' : 'connections'} ${wallSeconds.toFixed(2).padStart(8)} s`,
    )
    let last = ''
    let rows = 0
    for await (const line of createInterface(createReadStream(out))) {
      const { createdAt } = JSON.parse(line) as { createdAt: string }
      assert.ok(createdAt >= last, `${createdAt} comes after ${last}`)
      last = createdAt
      rows += 1
    }
    assert.equal(rows, events)
  }
  verdict('times as fast as one connection', (wall.get(1) ?? 0) / (wall.get(8) ?? 1), { atLeast: 6 })
})
