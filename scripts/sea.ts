import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// sea/auditctl: this Node, with dist/ inside it, and the notices of what else is inside. For the platform that builds it.
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const mac = process.platform === 'darwin'
const target = join(root, 'sea', process.platform === 'win32' ? 'auditctl.exe' : 'auditctl')

/** Node looks for its blob where this mark was flipped. @source https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const POSTJECT = join(root, 'node_modules/postject/dist/cli.js')

const names = globSync(['**/*.js', 'recordings/*'], { cwd: dist })
if (!names.includes('main.js')) throw new Error('dist/ is not built: npm run build makes it')

const folder = mkdtempSync(join(tmpdir(), 'auditctl-sea-'))
try {
  const blob = join(folder, 'blob')
  const config = join(folder, 'config.json')
  writeFileSync(
    config,
    JSON.stringify({
      main: join(import.meta.dirname, 'sea-entry.cjs'),
      output: blob,
      disableExperimentalSEAWarning: true,
      // Names use / everywhere: the entry cuts them out of URLs.
      assets: Object.fromEntries(names.map((name) => [name.replaceAll('\\', '/'), join(dist, name)])),
    }),
  )
  run(['--experimental-sea-config', config])

  // Aside, then renamed: a build that fails or is interrupted leaves no half of a program.
  mkdirSync(join(root, 'sea'), { recursive: true })
  const part = `${target}.part`
  copyFileSync(realpathSync(process.execPath), part)
  chmodSync(part, 0o755)
  if (mac) execFileSync('codesign', ['--remove-signature', part])
  const segment = mac ? ['--macho-segment-name', 'NODE_SEA'] : []
  run([POSTJECT, part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE, ...segment])
  if (mac) execFileSync('codesign', ['--sign', '-', part])
  renameSync(part, target)
  copyFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), join(root, 'sea/THIRD-PARTY-NOTICES.md'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(
  `${target}: ${names.length} files in Node ${process.versions.node}, ${Math.round(statSync(target).size / 1e6)} MB\n`,
)

/** Node with these arguments; its chatter (postject warns of every section that it does not know) is shown only when it fails. */
function run(args: readonly string[]): void {
  execFileSync(process.execPath, args, { stdio: 'pipe' })
}
