import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { RUNNERS } from '../../src/cli/commands/registry.ts'
import { COMMANDS } from '../../src/cli/tree.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import { SOURCES } from '../../src/sources/registry.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A room, its registry, and what a file of it says that belongs into the registry. */
const ROOMS = [
  { room: 'sources', names: Object.keys(SOURCES), mark: /= defineSource\(/ },
  { room: 'destinations', names: Object.keys(DESTINATIONS), mark: /= defineDestination\(/ },
  { room: 'inventories', names: Object.keys(INVENTORIES), mark: /= defineInventory(<.*>)?\(/ },
  {
    room: 'sandbox',
    names: Object.keys(SANDBOXES),
    mark: /export (async function|function|const) start(?!Sandbox)[A-Z]/,
  },
  { room: 'cli/commands', names: Object.keys(RUNNERS), mark: /export (async function|const) \w+Command\b/ },
]

for (const { room, names, mark } of ROOMS) {
  const folder = join(ROOT, 'src', room)
  const lines = [
    ...readFileSync(join(folder, 'registry.ts'), 'utf8').matchAll(
      /^ {2}'?([\w-]+)'?: \(\) =>\s*import\('\.\/([^']+)'\)/gm,
    ),
  ].map(([, name = '', file = '']) => ({ name, file }))

  test(`${room}: every file that defines one has a line in the registry, and every line its file`, () => {
    const defining = globSync('**/*.ts', { cwd: folder })
      .filter((file) => file !== 'registry.ts' && mark.test(readFileSync(join(folder, file), 'utf8')))
      .map((file) => file.split(sep).join('/'))
    assert.deepEqual(lines.map(({ file }) => file).sort(), defining.sort())
  })

  test(`${room}: every line of the registry is one line, and its file bears its name`, () => {
    assert.deepEqual(
      lines.map(({ name }) => name),
      names,
    )
    for (const { name, file } of lines) {
      assert.ok([`${name}/index.ts`, `${name}.ts`].includes(file), `${name} lives in ${file}`)
    }
  })
}

test('a source definition has the type that its registry line says', async () => {
  for (const [name, load] of Object.entries(SOURCES)) assert.equal((await load()).type, name)
})

test('a destination definition has the provider that its registry line says', async () => {
  for (const [name, load] of Object.entries(DESTINATIONS)) assert.equal((await load()).provider, name)
})

test('an inventory definition has the provider that its registry line says, and that can be delivered to', async () => {
  for (const [name, load] of Object.entries(INVENTORIES)) {
    assert.equal((await load()).provider, name)
    assert.ok(
      // Any stream may name these two in place of its provider's search.
      name === 'command' || name === 'url' || DESTINATIONS[name] !== undefined,
      `${name} reads the settings of a destination that is not there`,
    )
  }
})

test('a sandbox has the name that its registry line says, and every provider has one', async () => {
  for (const [name, load] of Object.entries(SANDBOXES)) {
    const start = await load()
    const service = await start({
      events: 5,
      seed: 1,
      generation: '2026',
      recent: true,
      faults: faultPlan([]),
      now: () => Date.parse('2026-11-20T12:00:00Z'),
    })
    await service.close()
    assert.equal(service.name, name)
  }
  const wanted = [...Object.keys(SOURCES).filter((name) => name !== 'file'), ...Object.keys(DESTINATIONS)]
  assert.deepEqual(
    wanted.filter((name) => SANDBOXES[name] === undefined),
    [],
  )
})

test('every command of the tree has a runner, and every runner is a command', () => {
  assert.deepEqual(Object.keys(RUNNERS).sort(), COMMANDS.map(({ name }) => name).sort())
})
