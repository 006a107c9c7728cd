import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { UserError } from '../../../src/core/errors.ts'
import { type Asked, idsOf, withInfisical } from './infisical-support.ts'

const WINDOW = { startDate: '2026-11-20T12:30:00.000Z', endDate: '2026-11-20T12:46:00.000Z', limit: 100 }
const ask = ({ list }: Asked) => list(WINDOW)
const errorOf = (body: unknown): { readonly error?: string; readonly message?: string } =>
  body as { error?: string }

test('a counted fault strikes as often as it says, from the request it says', () =>
  withInfisical({ faults: ['infisical:error-500@2x2'] }, async (asked) => {
    const statuses: number[] = []
    for (let turn = 0; turn < 5; turn += 1) statuses.push((await ask(asked)).status)
    assert.deepEqual(statuses, [200, 500, 500, 200, 200])
  }))

test('a wide window times out and a narrow one does not', () =>
  withInfisical({ faults: ['infisical:error-504=5m'] }, async ({ list }) => {
    const wide = await list(WINDOW)
    assert.equal(wide.status, 504)
    assert.deepEqual(errorOf(wide.body).error, 'GatewayTimeoutError')
    assert.equal((await list({ ...WINDOW, startDate: '2026-11-20T12:41:00.000Z' })).status, 200)
  }))

test('the limiter counts a minute from the first request, tells the client in headers, and notes who ignores them', () =>
  withInfisical({ faults: ['infisical:limit=3'] }, async (asked) => {
    const first = await ask(asked)
    assert.deepEqual(
      ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'].map((name) =>
        first.headers.get(name),
      ),
      ['3', '2', '60'],
    )
    asked.advance(30_500)
    await ask(asked)
    await ask(asked)
    const refused = await ask(asked)
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '30')
    assert.equal(errorOf(refused.body).message, 'Rate limit exceeded. Please try again in 30 seconds')
    assert.deepEqual(asked.rules(), ['over-limit'])
    asked.advance(10_000)
    assert.equal((await ask(asked)).status, 429)
    assert.deepEqual(asked.rules().slice(1).sort(), ['over-limit', 'retry-too-early'])
    asked.advance(19_500)
    assert.equal((await ask(asked)).status, 200)
  }))

test('a limiter without headers says it in the message alone', () =>
  withInfisical({ faults: ['infisical:limit-bare=1'] }, async (asked) => {
    assert.equal((await ask(asked)).headers.get('x-ratelimit-limit'), null)
    const refused = await ask(asked)
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), null)
    assert.equal(errorOf(refused.body).message, 'Rate limit exceeded. Please try again in 60 seconds')
    assert.deepEqual(asked.rules(), [])
  }))

test('log-ins and reads have separate buckets', () =>
  withInfisical({ faults: ['infisical:limit=1'] }, async (asked) => {
    await ask(asked)
    assert.equal((await asked.login()).status, 200)
  }))

test('a forced refusal is noted when the client comes back too early', () =>
  withInfisical({ faults: ['infisical:rate-limit=7'] }, async (asked) => {
    assert.equal((await ask(asked)).headers.get('retry-after'), '7')
    asked.advance(3000)
    await ask(asked)
    assert.deepEqual(asked.rules(), ['retry-too-early'])
  }))

test('a reset ends the connection without an answer, and in the middle of a body', async () => {
  for (const kind of ['reset', 'reset-body']) {
    await withInfisical({ faults: [`infisical:${kind}`] }, async (asked) => {
      await assert.rejects(ask(asked))
      assert.equal((await ask(asked)).status, 200)
    })
  }
})

const spoiled: readonly (readonly [string, (text: string) => boolean])[] = [
  ['truncate', (text) => text.startsWith('{"auditLogs":[{') && !text.endsWith('}')],
  ['html', (text) => text.startsWith('<!doctype html>')],
]
for (const [kind, looks] of spoiled) {
  test(`${kind} answers 200 with something that is no page`, () =>
    withInfisical({ faults: [`infisical:${kind}`] }, async (asked) => {
      const answer = await ask(asked)
      assert.equal(answer.status, 200)
      assert.equal(answer.body, undefined)
      assert.ok(looks(answer.text), answer.text.slice(0, 60))
    }))
}

test('pretty pages hold the same over many lines', () =>
  withInfisical({ faults: ['infisical:pretty@2'] }, async (asked) => {
    const plain = await ask(asked)
    const pretty = await ask(asked)
    assert.ok(pretty.text.split('\n').length > 1000)
    assert.deepEqual(pretty.body, plain.body)
  }))

test('a loop gives the first page for every offset', () =>
  withInfisical({ faults: ['infisical:loop'] }, async ({ page }) => {
    const first = idsOf(await page({ ...WINDOW, offset: 0 }))
    assert.deepEqual(idsOf(await page({ ...WINDOW, offset: 9000 })), first)
  }))

test('disabled storage answers 200 and nothing', () =>
  withInfisical({ faults: ['infisical:storage-disabled'] }, async (asked) => {
    const { status, body } = await ask(asked)
    assert.equal(status, 200)
    assert.deepEqual(body, { auditLogs: [] })
  }))

test('a late row arrives with an old time, after its window was read', () =>
  withInfisical({ faults: ['infisical:late@3'] }, async ({ page, service }) => {
    const read = async () => [
      ...(await page({ ...WINDOW, limit: 1000, offset: 1500 })),
      ...(await page({ ...WINDOW, limit: 1000, offset: 2500 })),
    ]
    const keys = (events: Awaited<ReturnType<typeof read>>) =>
      events.filter((event) => (event.event.metadata as { secretKey?: string }).secretKey === 'LATE').length
    assert.equal(keys(await read()), 0)
    assert.equal(keys(await read()), 1)
    assert.equal([...(service.events?.() ?? [])].length, 4433)
  }))

test('the big event is a megabyte among the others', () =>
  withInfisical({ faults: ['infisical:big-event'] }, async ({ service, page }) => {
    const sizes = [...(service.events?.() ?? [])].map((event) => JSON.stringify(event).length)
    assert.equal(sizes.filter((size) => size >= 1_000_000).length, 1)
    const pages = await Promise.all(
      [0, 1000, 2000, 3000, 4000].map((offset) => page({ ...WINDOW, limit: 1000, offset })),
    )
    assert.equal(pages.flat().length, 4433)
  }))

test('an event class is shown when asked for', () =>
  withInfisical({ faults: ['infisical:event-class'] }, async ({ page }) => {
    const [event] = await page({ ...WINDOW, eventType: 'login-identity-universal-auth', limit: 1 })
    assert.equal(event?.['eventClass'], 'authentication')
  }))

test('slow pages take their time', () =>
  withInfisical({ faults: ['infisical:slow=120'] }, async (asked) => {
    const started = performance.now()
    await ask(asked)
    assert.ok(performance.now() - started >= 115)
  }))

test('faults can be set while it runs, and reset puts everything back', () =>
  withInfisical({}, async (asked) => {
    await asked.admin('faults', { faults: ['infisical:storage-disabled', 'infisical:ties=100'] })
    assert.deepEqual((await ask(asked)).body, { auditLogs: [] })
    await asked.list({ ...WINDOW, cursor: 'x' })
    assert.deepEqual(asked.rules(), ['parameter-unknown'])
    await asked.admin('reset', {})
    assert.deepEqual(asked.rules(), [])
    assert.equal((await asked.page(WINDOW)).length, 100)
    const { body } = await asked.admin('state')
    assert.deepEqual((body as { faults: unknown[] }).faults, [])
  }))

test('a fault that would do nothing is refused at the start and while it runs', async () => {
  await assert.rejects(
    withInfisical({ faults: ['infisical:slwo=5'] }, async () => {}),
    (error) => error instanceof UserError && /no fault "slwo"/.test(error.message),
  )
  await withInfisical({}, async ({ admin }) => {
    assert.equal((await admin('faults', { faults: ['infisical:nonsense'] })).status, 400)
  })
})

test('a request that hangs is answered by nobody', () =>
  withInfisical({ faults: ['infisical:hang'] }, async (asked) => {
    const answered = await Promise.race([
      ask(asked).then(
        () => true,
        () => true,
      ),
      wait(80).then(() => false),
    ])
    assert.equal(answered, false)
  }))
