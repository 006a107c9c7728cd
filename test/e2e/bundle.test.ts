import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

const DIST = join(import.meta.dirname, '../../dist')

type Output = {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[]
}
const { outputs } = JSON.parse(readFileSync(join(DIST, 'meta.json'), 'utf8')) as {
  outputs: Readonly<Record<string, Output>>
}

/** The chunk and all that loads with it, without anything that is imported on demand. */
function loadedWith(entry: string): ReadonlySet<string> {
  const seen = new Set([entry])
  for (const path of seen) {
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) seen.add(next)
    }
  }
  return seen
}

/** Packages whose code is in these chunks, or that they import as they are. */
function packagesIn(chunks: ReadonlySet<string>): readonly string[] {
  const names = [...chunks].flatMap((chunk) => [
    ...Object.keys(outputs[chunk]?.inputs ?? {}).flatMap(
      (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1] ?? [],
    ),
    ...(outputs[chunk]?.imports ?? [])
      .filter(({ external, kind }) => external === true && kind === 'import-statement')
      .map(({ path }) => path)
      .filter((path) => !isBuiltin(path)),
  ])
  return [...new Set(names)].sort()
}

/** The chunk that holds a source file. */
function chunkOf(source: string): string {
  const found = Object.entries(outputs).find(([, { inputs }]) => Object.keys(inputs).includes(source))
  assert.ok(found !== undefined, `${source} is in the bundle`)
  return found[0]
}

test('the entry chunk loads no package', () => {
  assert.deepEqual(packagesIn(loadedWith('dist/main.js')), [])
})

test('help, version and usage errors load commander and no other package', () => {
  assert.deepEqual(packagesIn(loadedWith(chunkOf('src/cli/program.ts'))), ['commander'])
  assert.deepEqual(packagesIn(loadedWith(chunkOf('src/cli/report-error.ts'))), [])
})

test('starting a command loads no package before the command asks for one', () => {
  for (const source of ['src/cli/start-runtime.ts', 'src/cli/commands/registry.ts']) {
    assert.deepEqual(packagesIn(loadedWith(chunkOf(source))), [], source)
  }
})

test('a command reaches its first request with few chunks', () => {
  // Each costs the start a quarter of a millisecond: scripts/gathered.ts builds together what is needed together.
  const needed = [
    'main.ts',
    'cli/program.ts',
    'cli/start-runtime.ts',
    'cli/commands/query.ts',
    'http/client.ts',
  ]
  const sources = [...needed, 'sources/infisical/index.ts', 'formats/jsonl.ts'].map((file) => `src/${file}`)
  const chunks = new Set(sources.flatMap((source) => [...loadedWith(chunkOf(source))]))
  assert.ok(chunks.size <= 36, `${chunks.size} chunks`)
})

/** What a command's own chunk may bring along; everything else waits until it is needed. */
const HEAVY = [
  '@napi-rs/keyring',
  'conf',
  'csv-stringify',
  'cli-progress',
  'ink',
  'ndjson',
  'react',
  'undici',
]

test('no command loads a heavy package before it needs it', () => {
  const commands = Object.keys(outputs).filter((path) =>
    Object.keys(outputs[path]?.inputs ?? {}).some((source) => source.startsWith('src/cli/commands/')),
  )
  assert.ok(commands.length > 5, 'the commands have chunks of their own')
  const early = commands.flatMap((chunk) =>
    packagesIn(loadedWith(chunk))
      .filter((name) => HEAVY.includes(name))
      .map((name) => `${chunk} loads ${name}`),
  )
  assert.deepEqual(early, [])
})

test('each package that the program is built of is reached by some command', () => {
  const all = packagesIn(new Set(Object.keys(outputs).filter((name) => name.endsWith('.js'))))
  assert.deepEqual(
    [...HEAVY, 'commander', 'zod'].filter((name) => !all.includes(name)),
    ['@napi-rs/keyring'], // it is imported as it is, on demand
  )
})

test('the build has its source maps, the recordings and the notices of every package in it', () => {
  for (const path of Object.keys(outputs).filter((name) => name.endsWith('.js'))) {
    assert.ok(existsSync(join(DIST, '..', `${path}.map`)), `${path} has a source map`)
  }
  assert.ok(existsSync(join(DIST, 'recordings/infisical-events.jsonl.gz')))
  const notices = readFileSync(join(DIST, '../THIRD-PARTY-NOTICES.md'), 'utf8')
  const bundled = packagesIn(new Set(Object.keys(outputs).filter((name) => name.endsWith('.js'))))
  assert.ok(bundled.includes('undici'))
  assert.deepEqual(
    bundled.filter((name) => name !== '@napi-rs/keyring' && !notices.includes(`## ${name} `)),
    [],
  )
})
