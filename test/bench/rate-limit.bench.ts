/** 1,200 pages of a server that allows 600 requests a minute. `npm run bench rate-limit [-- --pages 1200 --limit 600]` */
import { join } from 'node:path'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl, run } from './support/run.ts'
import { withSandbox } from './support/sandbox.ts'

const pages = numberFlag('pages', 1200)
const limit = numberFlag('limit', 600)

await withSandbox(pages * 1000, [`infisical:limit=${limit}`], async ({ folder, env, window, state }) => {
  const { wallSeconds } = await run(
    auditctl('export', ...window, '--format', 'jsonl', '--out', join(folder, 'out.jsonl'), '-q'),
    { env },
  )
  const { requests, violations } = await state()
  print(`  ${requests} requests in ${wallSeconds.toFixed(1)} s`)
  const count = (rule: string): number => violations.filter((violation) => violation.rule === rule).length
  verdict('requests over the limit', count('over-limit'), { atMost: 0 })
  verdict('requests before the time that was told', count('retry-too-early'), { atMost: 0 })
  // A minute for each full window of the server before the last one; the rest is work.
  const told = Math.ceil(requests / limit - 1) * 60
  verdict(`seconds beyond the ${told} that the server asks for`, wallSeconds - told, { atMost: 15 })
})
