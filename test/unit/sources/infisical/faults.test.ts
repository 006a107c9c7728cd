import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AuthError,
  ContractError,
  IncompleteError,
  RateLimitError,
  RemoteConfigError,
  type RemoteError,
  UnavailableError,
} from '../../../../src/core/errors.ts'
import { type EventFilter, NO_FILTER } from '../../../../src/core/filter.ts'
import { type Bench, generatedWindow, readAll, startBench } from '../../../support/infisical-source.ts'

const EVENTS = 5000
const WINDOW = generatedWindow(EVENTS)

async function withFaults(
  faults: readonly string[],
  use: (bench: Bench) => Promise<void>,
  more: Parameters<typeof startBench>[0] = {},
): Promise<void> {
  const bench = await startBench({ events: EVENTS, faults, ...more })
  try {
    await use(bench)
  } finally {
    await bench.close()
  }
}

// Request 1 is the log-in, 2 the newest page.
for (const [name, faults] of [
  ['429 with headers', ['rate-limit@3x4=20']],
  ['429 without headers', ['rate-limit-bare@3x3=7']],
  ['a real limit of 10 requests a minute', ['limit=10']],
  ['500', ['error-500@3x4']],
  ['504 for windows over a minute', ['error-504=1m']],
  ['504 for windows over two seconds', ['error-504=2s']],
  ['reset connections', ['reset@2x3', 'reset@6x2']],
  ['bodies that end half way', ['reset-body@2x3']],
  ['an HTML page now and then', ['html@3x2=200', 'html@7=200']],
  ['truncated JSON now and then', ['truncate@3x2', 'truncate@6x1']],
  ['a token that expires in the middle', ['token-expire@4', 'token-expire@7']],
  ['tokens that are good for three requests', ['uses-limit=3']],
  ['tokens that live one second', ['token-ttl=1', 'rate-limit@3x3=5']],
] as const) {
  test(`every event is read once despite ${name}`, async () => {
    await withFaults(faults, async (bench) => {
      const { events } = await readAll(bench.source, WINDOW)
      assert.equal(events.length, EVENTS)
      assert.equal(new Set(events.map((event) => event.id)).size, EVENTS)
      assert.deepEqual(bench.server.violations, [])
    })
  })
}

for (const [name, faults, kind, code, words] of [
  ['500 for ever', ['error-500x*'], UnavailableError, 6, /Could not read the audit log.*500/],
  ['429 for ever', ['rate-limitx*=30'], RateLimitError, 6, /429/],
  ['resets for ever', ['resetx*'], UnavailableError, 6, /Infisical/],
  ['HTML for ever', ['htmlx*=200'], ContractError, 6, /not JSON; it begins with "<!doctype html/],
  ['truncated JSON for ever', ['truncatex*'], ContractError, 6, /not JSON/],
  ['504 for every width', ['error-504=0s'], UnavailableError, 6, /took too long.*504/],
  [
    'a refused permission',
    ['forbiddenx*'],
    AuthError,
    5,
    /does not let this identity read.*403 PermissionDenied/,
  ],
  [
    'a page that comes again and again',
    ['loop', 'ties=2500/1'],
    ContractError,
    6,
    /the same page again and again/,
  ],
] as const) {
  test(`reading ends with ${name} as exit ${code}, and says what came back`, async () => {
    await withFaults(faults, async (bench) => {
      await assert.rejects(readAll(bench.source, WINDOW), (error: RemoteError) => {
        assert.ok(error instanceof kind, `${error.name}: ${error.message}`)
        assert.equal(error.exitCode, code)
        assert.match(error.message, words)
        assert.ok((error.hint ?? '') !== '')
        return true
      })
    })
  })
}

test('a slice that failed is the only one: those before it are handed over', async () => {
  await withFaults(['error-500@6x*'], async (bench) => {
    const signal = new AbortController().signal
    const opened = await bench.source.open(WINDOW, NO_FILTER, { order: 'asc', concurrency: 1, signal })
    let count = 0
    await assert.rejects(async () => {
      for await (const slice of opened.slices()) {
        for await (const page of opened.read(slice, signal)) count += page.length
      }
    }, UnavailableError)
    await opened.close()
    assert.ok(count > 1000 && count < EVENTS, String(count))
  })
})

test('a reader that stops, and a window that is closed, cause no further request', async () => {
  await withFaults([], async (bench) => {
    const signal = new AbortController().signal
    const opened = await bench.source.open(WINDOW, NO_FILTER, { order: 'asc', concurrency: 2, signal })
    for await (const _ of opened.slices()) break
    await opened.close()
    const requests = bench.source.requests()
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(bench.source.requests(), requests)
    assert.ok(requests <= 14)
  })
})

test('a slow reader sets the pace', async () => {
  await withFaults(
    [],
    async (bench) => {
      const signal = new AbortController().signal
      const opened = await bench.source.open(WINDOW, NO_FILTER, { order: 'asc', concurrency: 2, signal })
      for await (const _ of opened.slices()) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        break
      }
      await opened.close()
      // Of about sixty: what two connections have read ahead, and no more.
      assert.ok(bench.source.requests() < 30, String(bench.source.requests()))
    },
    { settings: { pageSize: 100 } },
  )
})

test('an abort ends the reading with the reason of the signal', async () => {
  await withFaults(['slow=20'], async (bench) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 50)
    await assert.rejects(readAll(bench.source, WINDOW, { signal: controller.signal, concurrency: 2 }), reason)
  })
})

const byEvent = (...events: string[]): EventFilter => ({ ...NO_FILTER, events })

test('an event type that the server refuses is filtered here, with a warning', async () => {
  for (const generation of ['2025', '2026'] as const) {
    await withFaults(
      [],
      async (bench) => {
        const renamed = await readAll(bench.source, WINDOW, { filter: byEvent('get-project-key') })
        const isRefused = generation === '2026'
        assert.equal(renamed.events.length, isRefused ? EVENTS : 0)
        const words = renamed.warnings.join('; ')
        assert.match(
          words,
          isRefused
            ? /the server refused the filter --event \(this release does not know get-workspace-key\); all events/
            : /^$/,
        )
        const known = await readAll(bench.source, WINDOW, { filter: byEvent('get-secret') })
        assert.ok(known.events.length > 0 && known.events.length < EVENTS)
        assert.ok(known.events.every((event) => event.action === 'get-secret'))
        assert.deepEqual(known.warnings, [])
      },
      { generation },
    )
  }
})

test('a project that the identity is no member of is filtered here, since the organization may be read', async () => {
  await withFaults([], async (bench) => {
    const filter = { ...NO_FILTER, fields: { project: '00000000-0000-4000-8000-000000000000' } }
    const { events, warnings } = await readAll(bench.source, WINDOW, { filter })
    assert.equal(events.length, EVENTS)
    assert.match(warnings.join(), /the server refused the filter --project/)
  })
})

test('an empty answer next to busy times names the likely causes; a filtered or a short one does not', async () => {
  await withFaults([], async (bench) => {
    const after = { from: WINDOW.to + 1000, to: WINDOW.to + 600_000 }
    const { warnings } = await readAll(bench.source, after)
    assert.match(
      warnings.join(),
      /no events from .* although the log was busy just before.*storing.*plan.*retention/,
    )
    const filtered = await readAll(bench.source, after, { filter: byEvent('get-secret') })
    assert.deepEqual(filtered.warnings, [])
    const short = await readAll(bench.source, { from: after.from, to: after.from + 500 })
    assert.deepEqual(short.warnings, [])
    const busy = await readAll(bench.source, WINDOW)
    assert.deepEqual(busy.warnings, [])
  })
  await withFaults(['storage-disabled'], async (bench) => {
    const day = { from: WINDOW.from - 86_400_000, to: WINDOW.to }
    assert.match(
      (await readAll(bench.source, day)).warnings.join(),
      /no events from .*: is storing the log disabled/,
    )
  })
})

test('a window that reaches beyond the retention says so, by the configuration or by what events say themselves', async () => {
  const window = { from: WINDOW.from - 100 * 86_400_000, to: WINDOW.to }
  await withFaults([], async (bench) => {
    assert.match((await readAll(bench.source, window)).warnings.join(), /keeps events for 30 days/)
  })
  await withFaults(
    [],
    async (bench) => {
      assert.match((await readAll(bench.source, window)).warnings.join(), /keeps events for 90 days/)
    },
    { settings: { retentionDays: 90 } },
  )
})

test('an address without an audit log is a mistake in the configuration', async () => {
  await withFaults([], async (bench) => {
    const url = `${bench.server.urls['infisical']}/somewhere`
    const other = await startBench({
      events: 10,
      settings: { url, auth: { method: 'token', token: 'x'.repeat(20) } },
    })
    try {
      await assert.rejects(readAll(other.source, WINDOW), (error: RemoteError) => {
        assert.ok(error instanceof RemoteConfigError)
        assert.equal(error.exitCode, 2)
        return true
      })
    } finally {
      await other.close()
    }
  })
})

test('IncompleteError is an exit of its own kind', () => {
  assert.equal(new IncompleteError('x').exitCode, 6)
})
