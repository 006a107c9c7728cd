/** Against jq, and a loop of curl and jq, where they are installed. `npm run bench peers [-- --events 1000000 --rounds 1]` */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { logIn } from './naive/server.ts'
import { compare, costOf } from './support/compare.ts'
import { numberFlag, print, printCosts, verdict } from './support/report.ts'
import { auditctl, run } from './support/run.ts'
import { naiveArgs, withSandbox } from './support/sandbox.ts'

const events = numberFlag('events', 1_000_000)
const rounds = numberFlag('rounds', 1)

const JQ_CSV = `[.id,.createdAt,.event.type,.actor.type,(.actor.metadata|tojson),.orgId,.projectId,.projectName,
  .ipAddress,.userAgent,.userAgentType,(.event.metadata|tojson),.expiresAt,.updatedAt]|@csv`

/** A page after the other, its events a line each, until a page is not full. */
const CURL_LOOP = `offset=0; while :; do
  page=$(curl -sS -H "authorization: Bearer $TOKEN" "$URL/api/v1/organization/audit-logs?startDate=$FROM&endDate=$TO&limit=1000&offset=$offset")
  rows=$(jq -c '.auditLogs[]' <<< "$page")
  [ -z "$rows" ] && break
  printf '%s\\n' "$rows"
  offset=$((offset + 1000))
done`

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    print(`  skipped: ${command} is not installed`)
    return false
  }
}

if (has('jq')) {
  await withSandbox(events, [], async (bench) => {
    const { folder, env, window, config } = bench
    const lines = join(folder, 'events.jsonl')
    await run(auditctl('export', ...window, '--format', 'jsonl', '--out', lines, '-q'), { env })
    bench.writeConfig({
      ...config,
      sources: { ...config.sources, file: { type: 'file', path: lines, of: 'infisical' } },
    })
    const csv = await compare(
      [
        {
          name: 'auditctl, JSONL file to CSV',
          run: () =>
            run(auditctl('export', '--source', 'file', ...window, '--format', 'csv', '-q'), {
              env,
              out: join(folder, 'ours.csv'),
            }),
        },
        { name: 'jq', run: () => run(['jq', '-r', JQ_CSV, lines], { out: join(folder, 'jq.csv') }) },
      ],
      rounds,
    )
    print(`  ${events} events, ${rounds} rounds, medians`)
    printCosts(csv, events)
    const ratio = costOf(csv, 'jq').cpuSeconds / costOf(csv, 'auditctl, JSONL file to CSV').cpuSeconds
    verdict('times jq', ratio, { atLeast: 10 })
    if (!has('curl')) return
    const [url = '', clientId = '', clientSecret = '', from = '', to = ''] = naiveArgs(bench)
    const TOKEN = await logIn({ url, clientId, clientSecret, from, to })
    const paged = await compare(
      [
        {
          name: 'auditctl, paged fetch',
          run: () =>
            run(auditctl('export', ...window, '--format', 'jsonl', '-q'), { env, out: join(folder, 'ours') }),
        },
        {
          name: 'curl and jq',
          run: () =>
            run(['bash', '-c', CURL_LOOP], {
              env: { TOKEN, URL: url, FROM: from, TO: to },
              out: join(folder, 'curl'),
            }),
        },
      ],
      rounds,
    )
    printCosts(paged, events)
    const own = costOf(paged, 'auditctl, paged fetch').cpuSeconds
    verdict('times curl and jq', costOf(paged, 'curl and jq').cpuSeconds / own, { atLeast: 8 })
  })
}
