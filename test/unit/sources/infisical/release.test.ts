import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import type { Slice } from '../../../../src/core/source.ts'
import { generatedWindow, startBench } from '../../../support/infisical-source.ts'

test('an Infisical window gives back the memory of a released slice, of no other, and reads it again when asked', async () => {
  const bench = await startBench({ events: 12_000 })
  const { signal } = new AbortController()
  try {
    const opened = await bench.source.open(generatedWindow(12_000), NO_FILTER, {
      order: 'asc',
      concurrency: 2,
      signal,
    })
    const read = async (slice: Slice): Promise<AuditEvent[]> => {
      const events: AuditEvent[] = []
      for await (const page of opened.read(slice, signal)) events.push(...page)
      return events
    }
    const slices: { readonly slice: Slice; readonly events: AuditEvent[] }[] = []
    for await (const slice of opened.slices()) slices.push({ slice, events: await read(slice) })
    const [first, second] = slices
    assert.ok(first !== undefined && second !== undefined)
    const ids = first.events.map(({ id }) => id)
    assert.ok(ids.length > 500)

    opened.release?.(first.slice)
    opened.release?.(first.slice)
    assert.ok(first.events.every(({ buffer }) => buffer.length === 0))
    assert.ok(second.events.every((event) => event.record()['id'] === event.id))
    const again = await read(first.slice)
    assert.deepEqual(
      again.map(({ id }) => id),
      ids,
    )
    await opened.close()
  } finally {
    await bench.close()
  }
})
