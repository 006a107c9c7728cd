// Makes a fresh clone ready: installs the locked packages when they are not there yet. Plain JavaScript, since it runs on the Node
// that the machine happens to have; everything after it runs on the Node 24 that it installs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const stamp = 'node_modules/.auditctl-setup'
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
const ready = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock
if (!ready) {
  process.stderr.write('setting up: npm ci (once)\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(stamp, lock)
}
