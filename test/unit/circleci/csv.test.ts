import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_FILTER } from '../../../src/core/filter.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { createHttpClient } from '../../../src/http/client.ts'
import { circleciShape } from '../../../src/sources/circleci/shape.ts'
import { SOURCES } from '../../../src/sources/registry.ts'
import { circleEvent, FROM, lineOf } from '../../support/circleci-bucket.ts'
import { cellOf } from '../../support/circleci-csv.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { put, tempFolder } from '../../support/temp-files.ts'

test('a CSV download holds the same events as the bucket, ready to be streamed', async (t) => {
  const folder = tempFolder(t)
  const events = [1, 2, 3].map((n) => JSON.parse(lineOf(circleEvent(n, FROM + n))) as Record<string, unknown>)
  // Another order of columns than the documentation's, and one that events may lack.
  const header = [
    'occurred_at',
    'id',
    'success',
    'version',
    'action',
    'actor',
    'target',
    'scope',
    'organization',
    'payload',
    'metadata',
    'request',
  ]
  const rows = [
    header.join(','),
    ...events.map((event) =>
      header
        .map((name) =>
          cellOf(
            name === 'payload'
              ? '{"environment_variable_titles":["AWS_ROLE_ARN"],"run":12345678901234567890}'
              : event[name],
          ),
        )
        .join(','),
    ),
  ]
  await put(folder, { 'audit.csv': `${rows.join('\r\n')}\r\n` })
  const clock = fakeClock()
  const definition = await SOURCES['file']?.()
  const options = definition?.options.parse({ type: 'file', path: `${folder}/audit.csv`, of: 'circleci' })
  const source = await definition?.create('csv', options, {
    http: createHttpClient({ clock, log: SILENT, env: {}, version: 'test' }),
    clock,
    log: SILENT,
    scratch: async () => folder,
    stdin: (async function* (): AsyncGenerator<Uint8Array> {})(),
    baseDir: folder,
    shape: async () => circleciShape,
    strict: false,
  })
  const signal = new AbortController().signal
  const open = await source?.open({ from: FROM, to: FROM + 10 }, NO_FILTER, {
    order: 'asc',
    concurrency: 1,
    signal,
  })
  const streamed: unknown[] = []
  const texts: string[] = []
  for await (const slice of open?.slices() ?? []) {
    for await (const page of open?.read(slice, signal) ?? []) {
      for (const event of page) {
        const { bytes } = circleciShape.asStreamed(event, { store: 'postgres', retentionDays: undefined })
        texts.push(Buffer.from(bytes).toString())
        streamed.push(JSON.parse(texts.at(-1) ?? ''))
      }
    }
  }
  assert.deepEqual(streamed, events)
  assert.ok(
    texts.every(
      (text) =>
        text.includes('"version":1,') &&
        text.includes('"success":true') &&
        text.includes('12345678901234567890'),
    ),
  )
})
