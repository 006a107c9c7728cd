import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMON_COLUMNS } from '../../../src/cli/reshape.ts'
import { SOURCES } from '../../../src/sources/registry.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/common-event.md'), 'utf8')

test('the page of the common event names every field, and every source that has events of its own', () => {
  const [header = '', , ...rows] = PAGE.split('\n').filter((line) => line.startsWith('|'))
  const cellsOf = (line: string) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
  const products = Object.keys(SOURCES).filter((type) => type !== 'file')
  assert.deepEqual(cellsOf(header).sort(), products.sort())
  const named = rows.map((row) => cellsOf(row)[0] ?? '')
  assert.deepEqual(named.sort(), COMMON_COLUMNS.filter((column) => column !== 'source').sort())
})

test('its example has the fields of every source’s own, in their order', async () => {
  const example = JSON.parse(/```json\n(.*?)```/s.exec(PAGE)?.[1] ?? '')
  for (const load of Object.values(SOURCES)) {
    const { shape } = await load()
    const common = shape.toCommon({}) as unknown as Record<string, unknown>
    assert.deepEqual(Object.keys(common), Object.keys(example))
    for (const part of ['actor', 'target'])
      assert.deepEqual(Object.keys(common[part] as object), Object.keys(example[part]))
  }
})
