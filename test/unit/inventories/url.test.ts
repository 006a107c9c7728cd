import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ContractError, RemoteConfigError, UserError } from '../../../src/core/errors.ts'
import type { Inventory, InventoryEnd } from '../../../src/core/inventory.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { bindSecrets, Secret } from '../../../src/core/secret.ts'
import { DAY_MS, HOUR_MS, type TimeRange } from '../../../src/core/time-range.ts'
import { createHttpClient } from '../../../src/http/client.ts'
import { url } from '../../../src/inventories/url/index.ts'
import type { UrlInventory } from '../../../src/inventories/url/settings.ts'
import type { Exchange } from '../../../src/sandbox/listen.ts'
import { type Capture, startCapture } from '../../support/capture.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const signal = new AbortController().signal
const FROM = Date.parse('2026-11-20T02:10:00.123Z')
const WINDOW: TimeRange = { from: FROM, to: FROM + HOUR_MS }
const QUERY = '?from={from}&to={to}'

function open(inventory: UrlInventory, idField?: string): Inventory {
  const clock = fakeClock()
  const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
  const settings = { inventory, ...(idField === undefined ? {} : { idField }) }
  bindSecrets(settings, (reference) => reference)
  return (
    url.create('hook', settings, { http, clock, log: SILENT, baseDir: '.', sourceType: 'infisical' }) ??
    assert.fail()
  )
}

async function read(
  inventory: Inventory,
  window = WINDOW,
): Promise<{ ids: string[]; atMs: number[]; end: InventoryEnd }> {
  const rows = inventory.ids(window, { signal })
  const ids: string[] = []
  const atMs: number[] = []
  for (;;) {
    const step = await rows.next()
    if (step.done === true) return { ids, atMs, end: step.value }
    ids.push(...step.value.ids)
    atMs.push(...(step.value.atMs ?? []))
  }
}

/** Runs with a server that answers every request so. */
async function against<T>(
  answer: (exchange: Exchange, base: string) => unknown,
  use: (capture: Capture) => Promise<T>,
): Promise<T> {
  const capture: Capture = await startCapture((exchange) => {
    const body = answer(exchange, capture.url)
    if (body !== undefined) exchange.reply(200, body)
  })
  try {
    return await use(capture)
  } finally {
    await capture.close()
  }
}

describe('the inventory of an address', () => {
  test('is asked for the window in ISO 8601, with the headers, by GET', async () => {
    await against(
      () => [{ id: 'a1' }],
      async ({ url: base, requests }) => {
        const headers = { Authorization: new Secret('Bearer held-ids-credential') }
        const inventory = open({ url: `${base}/ids${QUERY}&index=audit`, headers })
        assert.deepEqual(await read(inventory), { ids: ['a1'], atMs: [Number.NaN], end: { exhausted: true } })
        const [request] = requests
        assert.equal(request?.method, 'GET')
        assert.equal(request?.headers.authorization, 'Bearer held-ids-credential')
        assert.deepEqual(Object.fromEntries(request?.query ?? []), {
          from: '2026-11-20T02:10:00.123Z',
          to: '2026-11-20T03:10:00.123Z',
          index: 'audit',
        })
        assert.equal(inventory.queries(), 1)
      },
    )
  })

  for (const [title, body, settings, ids] of [
    ['objects with id', [{ id: 'a1' }, { id: 'b2' }], {}, ['a1', 'b2']],
    ['ids themselves', ['a1', 17], {}, ['a1', '17']],
    ['nothing', [], {}, []],
    [
      'rows in an envelope',
      { data: { rows: [{ event: { id: 'a1' } }] }, next: null },
      { items: '/data/rows', id: '/event/id' },
      ['a1'],
    ],
    ["the product's ping among them", [{ id: 'a1' }, { ping: 'ok' }], {}, ['a1']],
    ['repeats', ['a1', 'a1'], {}, ['a1', 'a1']],
    [
      'a last page that calls itself complete',
      { items: ['a1'], complete: true },
      { items: '/items' },
      ['a1'],
    ],
  ] as const) {
    test(`reads ${title}`, async () => {
      await against(
        () => body,
        async ({ url: base }) => {
          const found = await read(open({ url: `${base}/ids${QUERY}`, ...settings }))
          assert.deepEqual([found.ids, found.end], [ids, { exhausted: true }])
        },
      )
    })
  }

  test("the stream's idField stands in where the inventory names no id", async () => {
    await against(
      () => [{ id: 'wrong', audit: { id: 'a1' } }],
      async ({ url: base }) => {
        assert.deepEqual((await read(open({ url: `${base}/ids` }, 'audit.id'))).ids, ['a1'])
        assert.deepEqual((await read(open({ url: `${base}/ids`, id: '/id' }, 'audit.id'))).ids, ['wrong'])
      },
    )
  })

  test('rows tell their own time where they have one', async () => {
    await against(
      () => [
        { id: 'a1', createdAt: '2026-11-20T02:10:00.123Z' },
        { id: 'b2', createdAt: 'soon' },
      ],
      async ({ url: base }) => {
        assert.deepEqual((await read(open({ url: `${base}/ids` }))).atMs, [FROM, Number.NaN])
      },
    )
  })

  for (const [title, template, nextOf] of [
    ['an absolute link', `/ids${QUERY}`, (page: number, base: string) => `${base}/more?cursor=${page}`],
    ['a link from the root', `/ids${QUERY}`, (page: number) => `/more?cursor=${page}`],
    ['a link that is only a query', `/ids${QUERY}`, (page: number) => `?cursor=${page}`],
    ['a cursor for the place in the address', `/ids${QUERY}&cursor={cursor}`, (page: number) => String(page)],
    ['a cursor without a place in the address', `/ids${QUERY}`, (page: number) => `${page}`],
    ['a number', `/ids${QUERY}`, (page: number) => page],
  ] as const) {
    test(`follows ${title} to the end`, async () => {
      await against(
        ({ query }, base) => {
          const page = Number(query.get('cursor') || 0)
          return { items: [`id${page}`], next: page < 3 ? nextOf(page + 1, base) : null }
        },
        async ({ url: base, requests }) => {
          const { ids, end } = await read(open({ url: `${base}${template}`, items: '/items' }))
          assert.deepEqual([ids, end], [['id0', 'id1', 'id2', 'id3'], { exhausted: true }])
          assert.equal(requests.length, 4)
          if (title.startsWith('a cursor'))
            assert.ok(requests.every(({ query }) => query.get('to') === '2026-11-20T03:10:00.123Z'))
        },
      )
    })
  }

  test('a cursor is encoded for its place', async () => {
    await against(
      ({ query }) => ({ items: [], next: query.get('cursor') === 'a/b+c=&x' ? null : 'a/b+c=&x' }),
      async ({ url: base, requests }) => {
        const { end } = await read(open({ url: `${base}/ids?cursor={cursor}`, items: '/items' }))
        assert.deepEqual([end, requests.length], [{ exhausted: true }, 2])
      },
    )
  })

  test('follows a Link header where the body names no next page', async () => {
    await against(
      (exchange) => {
        const isLast = exchange.path === '/two'
        exchange.reply(200, isLast ? ['b2'] : ['a1'], isLast ? {} : { link: '</two>; rel="next"' })
      },
      async ({ url: base }) => assert.deepEqual((await read(open({ url: `${base}/one` }))).ids, ['a1', 'b2']),
    )
  })

  for (const [title, body] of [
    ['a cursor that comes back', { items: ['a1'], next: 'same' }],
    ['a link to the page itself', { items: ['a1'], next: '/ids?x=1' }],
    ['an answer that calls itself incomplete', { items: ['a1'], next: null, complete: false }],
  ] as const) {
    test(`${title} is incomplete, with a reason`, async () => {
      await against(
        () => body,
        async ({ url: base, requests }) => {
          const { end } = await read(open({ url: `${base}/ids?x=1`, items: '/items' }))
          assert.equal(end.exhausted, false)
          assert.ok(end.reason)
          assert.ok(requests.length <= 2)
        },
      )
    })
  }

  for (const [title, body, message] of [
    ['no list where the rows should be', { rows: [] }, /is nothing instead of a list/],
    ['an object in place of the list', { items: { a1: true } }, /of the kind object/],
    ['null in place of the list', { items: null }, /is null/],
    ['a row without an id', { items: [{ id: 'a1' }, { name: 'b2' }] }, /row 1 .* has no id at \/id/],
    ['an empty next', { items: [], next: '' }, /next page that cannot be followed/],
    ['a next that is false', { items: [], next: false }, /next page that cannot be followed/],
    ['a next page at another origin', { items: [], next: 'https://evil.example/ids' }, /another origin/],
    ['a next page of another protocol', { items: [], next: '//evil.example/ids' }, /another origin/],
    ['a web page', '<html><body>Sign in</body></html>', /HTML page instead of JSON/],
    ['JSON that is cut off', '{"items":["a1"', /cut off or broken/],
    ['an empty body', '', /instead of JSON/],
  ] as const) {
    test(`${title} is an error, never an empty answer`, async () => {
      await against(
        () => body,
        async ({ url: base }) => {
          await assert.rejects(read(open({ url: `${base}/ids`, items: '/items' })), (error: unknown) => {
            assert.ok(error instanceof ContractError, String(error))
            assert.match(error.message, message)
            return true
          })
        },
      )
    })
  }

  for (const status of [302, 400, 404, 410, 422]) {
    test(`status ${status} is a refused configuration`, async () => {
      await against(
        (exchange) => exchange.reply(status, { items: [] }, { location: '/elsewhere' }),
        async ({ url: base, requests }) => {
          await assert.rejects(read(open({ url: `${base}/ids`, items: '/items' })), RemoteConfigError)
          assert.equal(requests.length, 1)
        },
      )
    })
  }

  test('a long window is asked a day at a time, or at once where the address has no place for it', async () => {
    const wide = { from: FROM, to: FROM + 2.5 * DAY_MS }
    assert.equal((await open({ url: `https://siem.example/ids${QUERY}` }).plan(wide, { signal })).length, 3)
    assert.deepEqual(await open({ url: 'https://siem.example/ids' }).plan(wide, { signal }), [wide])
  })

  for (const address of [
    'siem.example/ids',
    'ftp://siem.example/ids',
    'http://siem.example/ids',
    'https://user:pass@siem.example/ids',
    'https://{host}/ids',
  ]) {
    test(`the address ${address} is refused before anything is asked`, () => {
      assert.throws(() => open({ url: address }), UserError)
    })
  }

  test('test() warns of an empty day and fails with a hint for a wrong pointer', async () => {
    await against(
      () => ({ items: [] }),
      async ({ url: base }) => {
        const [quiet] = await open({ url: `${base}/ids`, items: '/items' }).test(signal)
        assert.equal(quiet?.state, 'warning')
        const [wrong] = await open({ url: `${base}/ids`, items: '/rows' }).test(signal)
        assert.deepEqual([wrong?.state, wrong?.hint !== undefined], ['failure', true])
      },
    )
  })
})
