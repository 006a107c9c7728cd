import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenStream } from '../../../src/cli/job.ts'
import { withinProducts } from '../../../src/cli/product-guard.ts'
import { UserError } from '../../../src/core/errors.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { compileFilter, NO_FILTER } from '../../../src/core/filter.ts'
import { spansOf } from '../../../src/core/json-slice.ts'
import { infisicalShape } from '../../../src/sources/infisical/shape.ts'

const stream = (products: readonly string[] | undefined): OpenStream =>
  ({ destination: { name: 'soc' }, options: { filters: { products } } }) as unknown as OpenStream

test('a stream without a product filter changes nothing', () => {
  assert.equal(withinProducts(stream(undefined), NO_FILTER), NO_FILTER)
  assert.equal(withinProducts(stream([]), NO_FILTER), NO_FILTER)
})

test('an organization-only stream keeps just the events without a project', () => {
  const filter = withinProducts(stream(['organization']), NO_FILTER)
  const matches = compileFilter(filter, infisicalShape.filters, 'prod')
  const rows = [null, 'c0a8f7d4-2a55-4c0d-8d5e-3a9be2b7f6a4'].map((projectId, i) => ({
    id: `${i}`,
    createdAt: '2026-11-20T12:00:00.000Z',
    projectId,
  }))
  assert.deepEqual(eventsOf(spansOf(rows, infisicalShape), infisicalShape).map(matches), [true, false])
})

test('any other product filter is refused until a project is named', () => {
  assert.throws(
    () => withinProducts(stream(['secret-manager']), NO_FILTER),
    (error) => error instanceof UserError && error.exitCode === 2 && /--project/.test(error.hint ?? ''),
  )
  const named = { ...NO_FILTER, fields: { project: 'p' } }
  assert.equal(withinProducts(stream(['secret-manager']), named), named)
})
