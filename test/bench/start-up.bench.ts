/** Start-up against `node -e 0`, wall time. `npm run bench start-up [-- --rounds 21]` */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from './support/compare.ts'
import { numberFlag, print, verdict } from './support/report.ts'
import { auditctl } from './support/run.ts'

const rounds = numberFlag('rounds', 21)
const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
let firstRequest: (() => void) | undefined
const server = createServer((_, response) => {
  firstRequest?.()
  response.writeHead(401).end('{}')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const config = join(folder, 'config.json')
const auth = { method: 'universal-auth', clientId: 'a', clientSecret: 'b' }
writeFileSync(config, JSON.stringify({ version: 1, sources: { prod: { type: 'infisical', url, auth } } }), {
  mode: 0o600,
})
const env = {
  ...process.env,
  AUDITCTL_CONFIG: config,
  AUDITCTL_STATE_DIR: join(folder, 'state'),
  NODE_COMPILE_CACHE: join(folder, 'cache'),
}

/** Milliseconds until the process ends, or until `until` is called. */
async function timed([command = '', ...args]: readonly string[], isRequest = false): Promise<number> {
  const started = performance.now()
  let ended = Number.NaN
  firstRequest = () => {
    if (Number.isNaN(ended)) ended = performance.now()
  }
  const child = spawn(command, args, { env, stdio: 'ignore' })
  await once(child, 'close')
  return (isRequest ? ended : performance.now()) - started
}

const variants = {
  'node -e 0': () => timed([process.execPath, '-e', '0']),
  'auditctl --version': () => timed(auditctl('--version')),
  'auditctl --help': () => timed(auditctl('--help')),
  'auditctl query, first request': () => timed(auditctl('query', '--from', '1h', '-n', '1'), true),
}
const all = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
try {
  for (let round = -2; round < rounds; round += 1) {
    for (const [name, measure] of Object.entries(variants)) {
      const ms = await measure()
      if (round >= 0) all.get(name)?.push(ms)
    }
  }
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
const ms = (name: string): number => median(all.get(name) ?? [])
for (const name of all.keys()) print(`  ${name.padEnd(34)} ${ms(name).toFixed(1).padStart(7)} ms`)
const bare = ms('node -e 0')
verdict('of node -e 0, --version', ms('auditctl --version') / bare, { atMost: 1.8 })
verdict('of node -e 0, --help', ms('auditctl --help') / bare, { atMost: 1.8 })
verdict('of node -e 0, to the first request', ms('auditctl query, first request') / bare, { atMost: 4 })
