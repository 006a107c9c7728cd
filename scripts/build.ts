import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { gathered } from './gathered.ts'
import { noticesOf } from './notices.ts'

// dist/: one entry, the rest in chunks that a command loads when it needs them. dist/meta.json is for the bundle test and does not ship.
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

if (process.argv.includes('--if-stale') && isFresh()) process.exit(0)

/** Ships a native binary of its own, or is the user's to install: it stays an import. */
const EXTERNAL = ['@napi-rs/keyring', '@aws-sdk/*', '@smithy/*', '@google-cloud/storage', '@azure/*']

/** Ink imports it for a debugging mode; left external, the program does not start. */
const emptyDevtools: Plugin = {
  name: 'empty-devtools',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'empty' }))
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
      contents:
        'export const initialize = () => {}; export const connectToDevTools = () => {}; export default {}',
    }))
  },
}

/**
 * What commander imports of Node and what it needs of it. Importing a module of Node reads each of its exports, and those of process, util
 * and fs load half of Node's streams: every start would pay for that, and for programs of their own as subcommands, which we have not.
 */
const COMMANDER_NEEDS: Readonly<Record<string, string>> = {
  'node:child_process': 'export default {}',
  'node:fs': 'export default {}',
  'node:process': 'export default globalThis.process',
  'node:util': `export const stripVTControlCharacters = (text) =>
    /[\\u001b\\u009b]/.test(text) ? process.getBuiltinModule('node:util').stripVTControlCharacters(text) : text`,
}
const leanCommander: Plugin = {
  name: 'lean-commander',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      path in COMMANDER_NEEDS && /node_modules[\\/]commander[\\/]/.test(importer)
        ? { path, namespace: 'lean-commander' }
        : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'lean-commander' }, ({ path }) => ({
      contents: COMMANDER_NEEDS[path] ?? '',
    }))
  },
}

/**
 * undici's door loads its fetch, WebSocket, cache and mocks too, at twice the time of what we use: pools and the proxy agent, by
 * `dispatch`. HTTP/2 is switched off in http/client.ts, so its half, and the module of Node that it loads, stay out as well.
 */
const leanUndici: Plugin = {
  name: 'lean-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'lean' }))
    onLoad({ filter: /.*/, namespace: 'lean' }, () => ({
      resolveDir: root,
      contents: [
        `export { default as Pool } from 'undici/lib/dispatcher/pool.js'`,
        `export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'`,
        // The door hangs its methods on every dispatcher; searches that stream their answer need the one, the proxy agent the other.
        `import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'`,
        `import request from 'undici/lib/api/api-request.js'`,
        `Dispatcher.prototype.request = request`,
        // Loads more of Node than a start without a proxy should pay for.
        `Dispatcher.prototype.connect = function (...values) { return require('undici/lib/api/api-connect.js').apply(this, values) }`,
      ].join('\n'),
    }))
    // A search tree of every known header, to spell a few in small letters: built at each start, for more than it ever saves. Without an
    // answer from it undici spells them itself.
    onLoad({ filter: /undici\/lib\/core\/tree\.js$/ }, () => ({
      contents: 'module.exports = { tree: { lookup: () => null } }',
    }))
    onLoad({ filter: /undici\/lib\/dispatcher\/client-h2\.js$/ }, () => ({
      contents: `module.exports = () => { throw new Error('HTTP/2 is not part of this program') }`,
    }))
  },
}

/** CommonJS packages inside an ES module find `require` here. */
const REQUIRE_BANNER = `import { createRequire as auditctlCreateRequire } from 'node:module'
const require = auditctlCreateRequire(import.meta.url)`

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  charset: 'utf8',
  // Names stay, so that a stack trace reads; a third less text to read and hash at start-up is worth half of `node -e 0`.
  minifyWhitespace: true,
  sourcemap: 'linked',
  jsx: 'automatic',
  external: EXTERNAL,
  plugins: [emptyDevtools, leanCommander, leanUndici, gathered(root)],
  banner: { js: REQUIRE_BANNER },
  define: {
    AUDITCTL_VERSION: JSON.stringify(versionOf()),
    AUDITCTL_COMMIT: JSON.stringify(commitOf()),
    'process.env.NODE_ENV': '"production"',
  },
  metafile: true,
  write: false,
  logLevel: 'warning',
}).catch(() => process.exit(1)) // esbuild has printed what is wrong

// Written aside: only a build that succeeded replaces the one before, which a program may be running from, in an instant.
const aside = `${dist}.${process.pid}`
for (const { path, contents } of outputFiles) {
  const target = join(aside, relative(dist, path))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, contents)
}
cpSync(join(root, 'src/sandbox/recordings'), join(aside, 'recordings'), { recursive: true })
writeFileSync(join(aside, 'meta.json'), JSON.stringify(metafile))
const before = `${aside}.old`
if (existsSync(dist)) renameSync(dist, before)
renameSync(aside, dist)
rmSync(before, { recursive: true, force: true })
writeFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), noticesOf(Object.keys(metafile.inputs), root))
process.stdout.write(`${summaryOf(metafile)}\n`)

/** Nothing that goes into dist/ changed since it was written. */
function isFresh(): boolean {
  const built = join(dist, 'meta.json')
  if (!existsSync(built) || !existsSync(join(root, 'THIRD-PARTY-NOTICES.md'))) return false
  const { mtimeMs } = statSync(built)
  const inputs = globSync(['src', 'src/**/*', 'scripts/*', 'package.json', 'package-lock.json'], {
    cwd: root,
  })
  return inputs.every((path) => statSync(join(root, path)).mtimeMs <= mtimeMs)
}

function versionOf(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

/** Of the tree that is built; a tree without git history says so. */
function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

function summaryOf({ outputs }: Metafile): string {
  const code = Object.entries(outputs).filter(([path]) => path.endsWith('.js'))
  const bytes = code.reduce((sum, [, output]) => sum + output.bytes, 0)
  return `dist/: ${code.length} files, ${Math.round(bytes / 1024)} KiB, entry ${outputs['dist/main.js']?.bytes} bytes`
}
