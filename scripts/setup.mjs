// Makes a fresh clone ready: installs the locked packages when they are not all there. Plain JavaScript, since it runs on the Node
// that the machine happens to have; everything after it runs on the Node 24 that it installs.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const windows = process.platform === 'win32'

if (!installed()) {
  process.stderr.write('setting up: npm ci (once, about a minute)\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  if (status !== 0) {
    process.stderr.write(
      'setting up failed: npm ci did not end well, see above; npm test and npm run demo need it\n',
    )
    process.exit(status ?? 1)
  }
}
checkNode('node_modules/.bin/node', 24)

/** npm keeps beside the packages a list of what it put there: the same versions as the lockfile means nothing is left to do. */
function installed() {
  const list = 'node_modules/.package-lock.json'
  if (!existsSync(list)) return false
  const there = JSON.parse(readFileSync(list, 'utf8')).packages
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || there[path]?.version === version || (optional === true && there[path] === undefined),
  )
}

/** The dev dependency `node` brings its binary by an install script; without it npm scripts would run on whatever Node is there. */
function checkNode(path, major) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', shell: windows })
  if (stdout?.startsWith(`v${major}.`)) return
  process.stderr.write(
    `auditctl is developed on Node ${major}, but ${path} is ${stdout?.trim() || 'not there'}: ` +
      'delete node_modules and run npm ci without --ignore-scripts\n',
  )
  process.exit(1)
}
