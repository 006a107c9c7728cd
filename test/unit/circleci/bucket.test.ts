import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { AuthError, IncompleteError, RemoteConfigError, UserError } from '../../../src/core/errors.ts'
import { HOUR_MS, MINUTE_MS, type TimeRange } from '../../../src/core/time-range.ts'
import { circleEvent, circleSource, deliver, FROM, lineOf, readAll } from '../../support/circleci-bucket.ts'
import { memoryBucket, s3Error } from '../../support/memory-objects.ts'

const WINDOW: TimeRange = { from: FROM, to: FROM + 4 * HOUR_MS }

const fileOf = (numbers: readonly (readonly [number: number, atMs: number])[]): string =>
  numbers.map(([number, atMs]) => `${lineOf(circleEvent(number, atMs))}\n`).join('')
const ids = (events: readonly { readonly id: string }[]): number[] =>
  events.map(({ id }) => Number(id.slice(-12))).toSorted((a, b) => a - b)

describe('a bucket of CircleCI', () => {
  test('is read in both paddings, under a prefix, and keeps every byte and digit', async () => {
    const bucket = memoryBucket()
    deliver(bucket, FROM + 20 * MINUTE_MS, fileOf([[1, FROM]]), { prefix: 'audit/ci/' })
    deliver(bucket, FROM + HOUR_MS, fileOf([[2, FROM + HOUR_MS - 1]]), {
      prefix: 'audit/ci/',
      isPadded: false,
    })
    deliver(bucket, FROM + HOUR_MS, fileOf([[9, FROM + HOUR_MS]]))
    const { source } = circleSource(bucket, { prefix: '/audit/ci/' })
    const { events, warnings } = await readAll(source, WINDOW)
    assert.deepEqual(ids(events), [1, 2])
    assert.deepEqual(warnings, [])
    const [first] = events
    assert.equal(Buffer.from(first?.bytes ?? []).toString(), lineOf(circleEvent(1, FROM)))
    assert.equal(first?.occurredAt, '2025-07-05T09:00:00.000118203Z')
    assert.match(Buffer.from(first?.bytes ?? []).toString(), /12345678901234567890/)
  })

  for (const order of ['asc', 'desc'] as const) {
    test(`is cut into slices that cover the window once, ${order}, with each event inside its own`, async () => {
      const bucket = memoryBucket()
      const expected: number[] = []
      for (let hour = -3; hour < 9; hour += 1) {
        const at = FROM + hour * HOUR_MS
        for (let n = 0; n < 5; n += 1) {
          // Delivered up to two hours late.
          const happened = at - n * 25 * MINUTE_MS
          const number = (hour + 10) * 10 + n
          deliver(bucket, at + n * 1000, fileOf([[number, happened]]))
          if (happened >= WINDOW.from && happened < WINDOW.to) expected.push(number)
        }
      }
      const { source } = circleSource(bucket)
      const { events, slices } = await readAll(source, WINDOW, order)
      assert.deepEqual(
        ids(events),
        expected.toSorted((a, b) => a - b),
      )
      const sorted = order === 'asc' ? slices : slices.toReversed()
      assert.equal(sorted[0]?.from, WINDOW.from)
      assert.equal(sorted.at(-1)?.to, WINDOW.to)
      for (const [i, { from }] of sorted.slice(1).entries()) assert.equal(from, sorted[i]?.to)
      const reads = bucket.calls.filter((call) => call.startsWith('read '))
      assert.equal(new Set(reads).size, reads.length, 'no object was read twice')
    })
  }

  test('is cut finer where it is full, and an hour that is too full is cut in time', async () => {
    const bucket = memoryBucket()
    const blank = `${' '.repeat(3 * 1024 * 1024)}\n`
    for (let n = 0; n < 24; n += 1) {
      deliver(bucket, FROM + n * 1000, `${fileOf([[n + 1, FROM + n * 2 * MINUTE_MS]])}${blank}`)
    }
    deliver(bucket, FROM + 3 * HOUR_MS, fileOf([[99, FROM + 3 * HOUR_MS]]))
    const { events, slices } = await readAll(circleSource(bucket).source, WINDOW)
    assert.deepEqual(ids(events), [...Array.from({ length: 24 }, (_, n) => n + 1), 99])
    assert.ok(slices.filter(({ to }) => to <= FROM + HOUR_MS).length >= 3, JSON.stringify(slices))
  })

  test('late files beyond the slack are a warning that says how much slack it takes', async () => {
    const bucket = memoryBucket()
    // Found by chance, since its hour also holds an event of the window's end.
    deliver(
      bucket,
      FROM + 5 * HOUR_MS,
      fileOf([
        [1, FROM + 3 * HOUR_MS],
        [2, FROM + MINUTE_MS],
      ]),
    )
    const tight = await readAll(circleSource(bucket).source, WINDOW)
    assert.match(tight.warnings.join('\n'), /delivered 5h .*set "slack" to 5h/)
    const { events, warnings } = await readAll(circleSource(bucket, { slack: '5h' }).source, WINDOW)
    assert.deepEqual([ids(events), warnings], [[1, 2], []])
  })

  test('probes, empty objects, folders and foreign objects are left out in silence', async () => {
    const bucket = memoryBucket()
    deliver(bucket, FROM, fileOf([[1, FROM]]))
    deliver(bucket, FROM, '', { name: '2025-07-05T09:00:00_0000000000000000000000000000000000000000' })
    deliver(bucket, FROM, 'hello', { name: 'circleci_connectivity_test_1751706000' })
    deliver(bucket, FROM, 'hello', { name: 'notes.txt' })
    bucket.objects.set('year=2025/month=07/day=05/', Buffer.alloc(0))
    bucket.objects.set('year=2025/month=07/day=05/hour=99/2025-07-05T09:00:00_00', Buffer.from('x'))
    bucket.objects.set('circleci_connectivity_test_1', Buffer.alloc(0))
    bucket.objects.set('terraform.tfstate', Buffer.from('{}'))
    const { events, warnings, broken } = await readAll(circleSource(bucket).source, WINDOW)
    assert.deepEqual([ids(events), warnings, broken], [[1], [], 0])
  })

  const one = lineOf(circleEvent(1, FROM))
  const two = lineOf(circleEvent(2, FROM + 1))
  for (const [title, content] of [
    ['JSON lines', `${one}\n${two}\n`],
    ['lines with a byte order mark and CRLF', `\ufeff${one}\r\n${two}\r\n`],
    ['an array', `[${one},\n  ${two}]`],
    ['an envelope', `{"cursor":null,"events":[${one},${two}]}`],
    ['gzip', gzipSync(`${one}\n${two}`)],
    ['gzip members in a row', Buffer.concat([gzipSync(`${one}\n`), gzipSync(two)])],
    ['UTF-16 with its mark', Buffer.from(`\ufeff${one}\n${two}\n`, 'utf16le')],
  ] as const) {
    test(`reads ${title}`, async () => {
      const bucket = memoryBucket()
      deliver(bucket, FROM, content)
      const { events, broken, warnings } = await readAll(circleSource(bucket).source, WINDOW)
      assert.deepEqual([ids(events), broken, warnings], [[1, 2], 0, []])
    })
  }

  test('reads one object alone, spread over lines', async () => {
    const bucket = memoryBucket()
    deliver(bucket, FROM, JSON.stringify(JSON.parse(one), null, 2))
    const [event] = (await readAll(circleSource(bucket).source, WINDOW)).events
    assert.equal(Buffer.from(event?.bytes ?? []).toString(), JSON.stringify(JSON.parse(one)))
  })

  test('bad lines are reported with object and line, counted once and left out', async () => {
    const bucket = memoryBucket()
    const lines = [
      one,
      '{"id":"x"',
      'NUL \u0000 here',
      '{"id":"y","version":1}',
      two,
      '{"id":"z","occurred_at":"soon"}',
    ]
    const bad = Buffer.concat([
      Buffer.from(`${lines.join('\n')}\n`),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a]),
    ])
    const key = deliver(bucket, FROM + HOUR_MS, bad)
    const { source, warned } = circleSource(bucket)
    const { events, broken, warnings } = await readAll(source, WINDOW)
    assert.deepEqual([ids(events), broken], [[1, 2], 5])
    assert.equal(warned.length, 5)
    assert.ok(warned.every((line) => line.includes(key)))
    for (const told of [
      /line 2 .*cut off/,
      /line 3 .*not a JSON object/,
      /line 4 .*no occurred_at/,
      /line 6 .*not a time/,
      /line 7 .*not UTF-8/,
    ]) {
      assert.ok(
        warned.some((line) => told.test(line)),
        `${told}: ${warned.join(' | ')}`,
      )
    }
    assert.match(warnings.join('\n'), /5 broken lines/)
    await assert.rejects(readAll(circleSource(bucket, {}, true).source, WINDOW), UserError)
  })

  test('an object that does not hold what its name says is told once, and an error with --strict', async () => {
    const bucket = memoryBucket()
    const key = deliver(bucket, FROM, fileOf([[1, FROM]]))
    bucket.objects.set(key, Buffer.from(fileOf([[2, FROM]])))
    const packed = gzipSync(fileOf([[3, FROM]]))
    deliver(bucket, FROM, packed)
    const { source, warned } = circleSource(bucket)
    const { events, warnings } = await readAll(source, WINDOW)
    assert.deepEqual(ids(events), [2, 3])
    assert.equal(warned.length, 1)
    assert.match(warnings.join('\n'), /1 objects do not hold what their names say/)
    await assert.rejects(readAll(circleSource(bucket, {}, true).source, WINDOW), /SHA-1/)
  })

  test('the SHA-1 of what a packed object holds is as good as that of the object', async () => {
    const bucket = memoryBucket()
    const text = fileOf([[1, FROM]])
    const key = deliver(bucket, FROM, text)
    bucket.objects.set(key, gzipSync(text))
    const { events, warnings } = await readAll(circleSource(bucket).source, WINDOW)
    assert.deepEqual([ids(events), warnings], [[1], []])
  })

  test('a truncated gzip ends the slice with an error that names the object: never a short slice', async () => {
    const bucket = memoryBucket()
    const key = deliver(
      bucket,
      FROM,
      gzipSync(fileOf(Array.from({ length: 500 }, (_, n) => [n, FROM + n]))).subarray(0, 900),
    )
    await assert.rejects(readAll(circleSource(bucket).source, WINDOW), (error: unknown) => {
      assert.ok(error instanceof IncompleteError)
      assert.ok(error.message.includes(key))
      return true
    })
  })

  test('an object that goes away between listing and reading is an error', async () => {
    const bucket = memoryBucket()
    deliver(bucket, FROM, fileOf([[1, FROM]]))
    bucket.fault = (call) => {
      if (call.startsWith('read ')) bucket.objects.clear()
      return undefined
    }
    await assert.rejects(readAll(circleSource(bucket).source, WINDOW), IncompleteError)
  })

  for (const [error, kind, hint] of [
    [s3Error(403, 'AccessDenied'), AuthError, /s3:ListBucket/],
    [s3Error(400, 'ExpiredToken'), AuthError, /expired/],
    [s3Error(404, 'NoSuchBucket'), RemoteConfigError, /bucket/],
    [s3Error(301, 'PermanentRedirect'), RemoteConfigError, /region/],
  ] as const) {
    test(`${error.name} while listing ends at once with a hint`, async () => {
      const bucket = memoryBucket()
      bucket.fault = () => error
      const { source } = circleSource(bucket)
      await assert.rejects(readAll(source, WINDOW), (thrown: unknown) => {
        assert.ok(thrown instanceof kind, String(thrown))
        assert.match(String(thrown.hint), hint)
        return true
      })
      const [check] = await source.test(new AbortController().signal)
      assert.equal(check?.state, 'failure')
      assert.equal(check?.refused, kind === AuthError ? true : undefined)
    })
  }

  test('slowing down and resets are waited out, in the middle of a listing and of an object too', async () => {
    const bucket = memoryBucket({ pageObjects: 2 })
    for (let n = 1; n <= 7; n += 1) deliver(bucket, FROM + n * 1000, fileOf([[n, FROM + n]]))
    let calls = 0
    bucket.fault = () => {
      calls += 1
      if (calls % 3 === 0) return s3Error(503, 'SlowDown')
      return calls % 7 === 0 ? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) : undefined
    }
    const { source, clock } = circleSource(bucket)
    const { events } = await readAll(source, WINDOW)
    assert.deepEqual(ids(events), [1, 2, 3, 4, 5, 6, 7])
    assert.ok(clock.slept.length > 2)
  })

  test('an empty bucket is a warning, not an error', async () => {
    const { source } = circleSource(memoryBucket())
    const { events, warnings, slices } = await readAll(source, WINDOW)
    assert.deepEqual(events, [])
    assert.deepEqual(slices, [WINDOW])
    assert.match(warnings.join('\n'), /prefix/)
    const checks = await source.test(new AbortController().signal)
    assert.deepEqual(
      checks.map(({ state }) => state),
      ['ok', 'warning'],
    )
  })

  test('a window inside a day lists its own hours only, of a day with very many objects', async () => {
    const bucket = memoryBucket({ pageObjects: 10 })
    for (let hour = 0; hour < 24; hour += 1) {
      for (let n = 0; n < 50; n += 1) {
        const at = Date.UTC(2025, 6, 5, hour, 0, n)
        deliver(bucket, at, fileOf([[hour * 100 + n, at]]))
      }
    }
    const { events } = await readAll(circleSource(bucket).source, { from: FROM, to: FROM + HOUR_MS })
    assert.equal(events.length, 50)
    assert.ok(bucket.calls.filter((call) => call.startsWith('list ')).length <= 4 * 5, 'hours 8 to 11')
  })

  test('many objects are read at least five times as fast as one after the other at 50 ms each, and in order', async () => {
    const bucket = memoryBucket()
    const count = 400
    for (let n = 0; n < count; n += 1) deliver(bucket, FROM + n * 35_000, fileOf([[n, FROM + n * 35_000]]))
    bucket.delayMs = 50
    const began = performance.now()
    const { events } = await readAll(circleSource(bucket).source, WINDOW)
    const tookMs = performance.now() - began
    const read = events.map(({ occurredAtMs }) => occurredAtMs)
    assert.equal(read.length, count)
    assert.deepEqual(
      read,
      read.toSorted((a, b) => a - b),
    )
    assert.ok(
      tookMs * 5 < bucket.calls.length * 50,
      `${bucket.calls.length} calls took ${Math.round(tookMs)} ms`,
    )
  })
})
