import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../..')

// The floor plan of style.md 2.1. Imports point down, and sideways only where a line says so; import() counts like any other.
const EDGE = ['core', 'http', 'storage', 'config', 'streams', 'formats']
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  http: ['core'],
  storage: ['core', 'http'],
  state: ['core'],
  config: ['core'],
  streams: ['core'],
  formats: ['core'],
  sources: EDGE,
  destinations: EDGE,
  inventories: EDGE,
  operations: ['core', 'streams', 'formats', 'state'],
  sandbox: ['core', 'streams', 'formats'],
  ui: ['core'], // it is handed its operations, typed in core
  cli: [...EDGE, 'state', 'sources', 'destinations', 'inventories', 'operations', 'sandbox', 'ui'],
  'main.ts': ['core', 'cli'],
}

/** Each package has one room; elsewhere it does not exist (style.md 3.8). A package without a line here is not ours to use. */
const PACKAGE_ROOMS: Readonly<Record<string, RegExp>> = {
  '@napi-rs/keyring': /^config\/keychain\.ts$/,
  'cli-progress': /^cli\//,
  commander: /^cli\//,
  conf: /^config\//,
  'csv-stringify': /^formats\/csv/,
  ink: /^ui\//,
  ndjson: /^formats\//,
  react: /^ui\//,
  undici: /^http\//,
  zod: /^(config|sources|destinations|inventories)\//,
}

/** The users' own to install, and so named at run time. */
const OPTIONAL_PACKAGES = ['src/http/azure-tokens.ts', 'src/storage/objects/load-package.ts']

/** Doors to the outside that Node itself has; other modules of Node are free everywhere but in core. */
const DOORS: Readonly<Record<string, RegExp>> = {
  // The demo runs the program itself, as a person would.
  'node:child_process': /^(storage\/|cli\/demo-steps\.ts$)/,
  'node:dns': /^http\//,
  'node:http': /^(http|sandbox)\//,
  'node:https': /^(http|sandbox)\//,
  'node:net': /^(http|sandbox)\//,
  'node:sqlite': /^state\//,
  'node:tls': /^http\//,
}

/** Lines a file may have; a table of cases may be longer than code. */
const MOST_LINES = { src: 300, scripts: 300, test: 400 }

const filesOf = (pattern: string) =>
  globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules/**'] }).map((path) => ({
    path: path.split(sep).join('/'),
    /** Below `src/`. */
    place: path.split(sep).slice(1).join('/'),
    text: readFileSync(join(ROOT, path), 'utf8'),
  }))

const FILES = filesOf('src/**/*.{ts,tsx}')

const roomOf = (path: string): string => path.split('/')[1] ?? ''

type Import = { readonly target: string; readonly onDemand: boolean }

/** Every module that a file names, types and `import()` included; a computed name reads as `?`. */
function importsOf(text: string): readonly Import[] {
  const fixed = text.matchAll(/^(?:import|export)\b(?:[^'"`;=()]*?\bfrom)?\s*(['"])([^'"\n]+)\1/gm)
  const called = text.matchAll(/^(?!\s*(?:\/\/|\*|\/\*)).*\bimport\((?!\?)\s*(?:(['"])([^'"\n]+)\1)?/gm)
  return [
    ...[...fixed].map(([, , target = '?']) => ({ target, onDemand: false })),
    ...[...called].map(([, , target = '?']) => ({ target, onDemand: true })),
  ]
}

const isOwn = ({ target }: Import): boolean => target.startsWith('.')
const resolved = (path: string, target: string): string =>
  normalize(join(dirname(path), target))
    .split(sep)
    .join('/')
const packageOf = (target: string): string => target.split('/', target.startsWith('@') ? 2 : 1).join('/')

test('the reading of imports sees static, typed, re-exported, side-effect and on-demand ones', () => {
  const text = [
    `import a from 'one'`,
    `import type { B } from "two"`,
    `export { c } from './three.ts'`,
    `import 'four'`,
    `const load = () => import('./five.ts').then((file) => file.x)`,
    `import {`,
    `  six,`,
    `} from 'six'`,
    `export const words = 'from here'`,
    `// import('seven')`,
    `const eight = await import(name)`,
  ].join('\n')
  assert.deepEqual(
    importsOf(text).map(({ target }) => target),
    ['one', 'two', './three.ts', 'four', 'six', './five.ts', '?'],
  )
})

test('imports follow the floor plan', () => {
  assert.ok(FILES.length > 100, 'the sources were found')
  const trespasses = FILES.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(isOwn)
      .map(({ target }) => resolved(path, target))
      .filter((target) => !target.startsWith('src/') || roomOf(target) !== roomOf(path))
      .filter((target) => !target.startsWith('src/') || !MAY_IMPORT[roomOf(path)]?.includes(roomOf(target)))
      .map((target) => `${path} → ${target}`),
  )
  assert.deepEqual(trespasses, [])
})

test('every room has a line in the floor plan', () => {
  const rooms = new Set(FILES.map(({ path }) => roomOf(path)))
  assert.deepEqual(
    [...rooms].filter((room) => MAY_IMPORT[room] === undefined),
    [],
  )
})

test('providers of one room do not import one another, but for the shape of a product', () => {
  const rooms = /^src\/(sources|destinations|inventories)\//
  const trespasses = FILES.filter(({ path }) => rooms.test(path) && !path.endsWith('/registry.ts')).flatMap(
    ({ path, text }) =>
      importsOf(text)
        .filter(isOwn)
        .map(({ target }) => resolved(path, target))
        .filter((target) => roomOf(target) === roomOf(path) && !target.endsWith('/shape.ts'))
        .filter((target) => target.split('/').length > 3 && providerOf(target) !== providerOf(path))
        .map((target) => `${path} → ${target}`),
  )
  assert.deepEqual(trespasses, [])
})

/** `src/inventories/file/header.ts` and `src/inventories/file.ts` → `file`. */
function providerOf(path: string): string {
  return path.split('/')[2]?.replace(/\.ts$/, '') ?? ''
}

test('the views are loaded on demand only', () => {
  const eager = FILES.filter(({ path }) => roomOf(path) === 'cli').flatMap(({ path, text }) =>
    importsOf(text)
      .filter((found) => isOwn(found) && !found.onDemand && roomOf(resolved(path, found.target)) === 'ui')
      .map(({ target }) => `${path} → ${target}`),
  )
  assert.deepEqual(eager, [])
})

test('each package is used in its own room only, and core uses none, nor a module of Node', () => {
  const trespasses = FILES.flatMap(({ path, place, text }) =>
    importsOf(text)
      .filter((found) => !isOwn(found))
      .filter(({ target }) => {
        if (roomOf(path) === 'core') return true
        if (target === '?') return !OPTIONAL_PACKAGES.includes(path)
        if (target.startsWith('node:')) return DOORS[target]?.test(place) === false
        return PACKAGE_ROOMS[packageOf(target)]?.test(place) !== true
      })
      .map(({ target }) => `${path} → ${target}`),
  )
  assert.deepEqual(trespasses, [])
})

test('every package that has a room is declared: for the build, or, where it cannot be bundled, for the user', () => {
  const { devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Readonly<Record<'devDependencies' | 'optionalDependencies', Readonly<Record<string, string>>>>
  const declared = new Set([...Object.keys(devDependencies), ...Object.keys(optionalDependencies)])
  assert.deepEqual(
    Object.keys(PACKAGE_ROOMS).filter((name) => !declared.has(name)),
    [],
  )
  assert.deepEqual(
    Object.keys(optionalDependencies).filter((name) => !(name in PACKAGE_ROOMS)),
    [],
  )
})

test('time and chance come from the clock: nothing else asks for them', () => {
  const asked = /\b(Date\.now|setTimeout|setInterval|Math\.random)\b|\bnew Date\(\)|node:timers/
  const trespasses = FILES.filter(({ place }) => place !== 'cli/runtime.ts' && !place.startsWith('sandbox/'))
    .flatMap(({ path, text }) => text.split('\n').map((line, at) => ({ at: `${path}:${at + 1}`, line })))
    .filter(({ line }) => asked.test(line.replace(/^\s*(\/\/|\*|\/\*).*/, '').replace(/\s\/\/ .*/, '')))
    .map(({ at, line }) => `${at} ${line.trim()}`)
  assert.deepEqual(trespasses, [])
})

test('no file is too long to be read at once', () => {
  const long = Object.entries(MOST_LINES).flatMap(([folder, most]) =>
    filesOf(`${folder}/**/*.{ts,tsx}`)
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > most)
      .map(({ path, lines }) => `${path}: ${lines} lines, ${most} allowed`),
  )
  assert.deepEqual(long, [])
})
