import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'

// `npm run test:real`: the object stores through the vendors' own SDKs, against real servers where they are there and the strict sandboxes.
const HERE = import.meta.dirname
const ROOT = join(HERE, '../..')

const installed = join(HERE, 'node_modules/.package-lock.json')
const lock = join(HERE, 'package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], HERE)
}

// Some of the tests run the built program.
run(process.execPath, ['scripts/build.ts', '--if-stale'], ROOT)

const files = process.argv.slice(2)
const suites = [
  'test/real/*.test.ts',
  // The promises of every destination and inventory, for those that need an SDK.
  'test/contract/destination.test.ts',
  'test/contract/inventory.test.ts',
]
run(
  process.execPath,
  [
    '--import',
    './scripts/tsx.ts',
    '--import',
    './test/real/resolve-sdks.ts',
    '--test',
    '--test-concurrency=1',
    '--test-timeout=300000',
    ...(files.length > 0 ? files : suites),
  ],
  ROOT,
)

function run(program: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, AUDITCTL_TEST_REAL: '1' }
  const { status, error } = spawnSync(program, args, {
    cwd,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
