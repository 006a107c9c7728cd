import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventAt, lowerBound, type NativeEvent } from '../../../src/sandbox/infisical/event-set.ts'
import { generatedSet } from '../../../src/sandbox/infisical/generated-set.ts'
import { type Asked, idsOf, iso, RECORDED_NOW, withInfisical } from './infisical-support.ts'

const START = Date.parse('2026-11-01T00:00:00.000Z')
const EVERYTHING = { startDate: iso(START), endDate: '2026-11-15T00:00:00.000Z' }
const set = (seed: number, size: number) =>
  generatedSet({
    seed,
    size,
    fromUs: START * 1000,
    toUs: (START + size * 100) * 1000,
    nullExpiry: false,
    eventClass: false,
  })

/** All pages by offset, as a simple client reads them. */
async function readAll(
  { page }: Asked,
  query: Record<string, string | number>,
  limit: number,
): Promise<NativeEvent[]> {
  const all: NativeEvent[] = []
  for (let offset = 0; ; offset += limit) {
    const rows = await page({ ...query, limit, offset })
    all.push(...rows)
    if (rows.length < limit) return all
  }
}

test('generated events are the same for the same seed and position, and others for another seed', () => {
  const [one, same, other] = [set(1, 5000), set(1, 5000), set(2, 5000)]
  for (const index of [0, 1, 777, 4999]) {
    assert.deepEqual(eventAt(one, index), eventAt(same, index))
    assert.notEqual(eventAt(one, index).id, eventAt(other, index).id)
  }
})

test('generated times never fall, show what is stored, and stay inside their window', () => {
  const events = set(3, 20_000)
  let last = START * 1000
  for (let index = 0; index < events.size; index += 1) {
    const timeUs = events.timeUs(index)
    assert.ok(timeUs >= last, `position ${index}`)
    last = timeUs
    if (index % 97 === 0) assert.equal(eventAt(events, index).createdAt, iso(Math.floor(timeUs / 1000)))
  }
  assert.ok(last < (START + 20_000 * 100) * 1000)
})

test('a time finds the position that a look at every event would find', () => {
  const events = set(4, 3000)
  for (let ms = START - 50; ms < START + 301_000; ms += 1731) {
    let slow = 0
    while (slow < events.size && events.timeUs(slow) < ms * 1000) slow += 1
    assert.equal(lowerBound(events, ms * 1000), slow)
  }
})

test('generated events look like the recorded ones: about 750 bytes, the same keys, many types, ids that are UUIDs', () => {
  const events = set(5, 20_000)
  const ids = new Set<string>()
  const types = new Set<string>()
  let bytes = 0
  for (let index = 0; index < events.size; index += 1) {
    const event = eventAt(events, index)
    ids.add(event.id)
    types.add(event.event.type)
    bytes += JSON.stringify(event).length
    assert.match(event.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
  assert.equal(ids.size, events.size)
  assert.ok(types.size >= 14, `${types.size} types`)
  assert.ok(Math.abs(bytes / events.size - 750) < 40, `${bytes / events.size} bytes`)
  assert.deepEqual(
    Object.keys(eventAt(events, 0)),
    'id ipAddress userAgent userAgentType expiresAt createdAt updatedAt orgId projectId projectName event actor'.split(
      ' ',
    ),
  )
})

test('paging a fixed window gives every generated event once, newest first, with and without filters', () =>
  withInfisical({ events: 5000 }, async (asked) => {
    const native = [...(asked.service.events?.() ?? [])] as NativeEvent[]
    assert.equal(native.length, 5000)
    const all = await readAll(asked, EVERYTHING, 700)
    assert.deepEqual(idsOf(all), idsOf(native.toReversed()))
    const secrets = await readAll(asked, { ...EVERYTHING, eventType: 'get-secret' }, 300)
    const expected = native.filter((event) => event.event.type === 'get-secret').toReversed()
    assert.deepEqual(idsOf(secrets), idsOf(expected))
    const one = expected[expected.length >> 1] ?? assert.fail()
    const key = (one.event.metadata as { secretKey: string }).secretKey
    const found = await readAll(asked, { ...EVERYTHING, eventMetadata: `secretKey=${key}` }, 10)
    assert.deepEqual(idsOf(found), [one.id])
  }))

test('recent moves the recorded events to half an hour ago and keeps their ids and distances', () =>
  withInfisical({ recent: true, now: Date.parse('2027-03-01T10:00:00.000Z') }, async ({ service }) => {
    const events = [...(service.events?.() ?? [])] as (NativeEvent & { expiresAt: string })[]
    const times = events.map((event) => Date.parse(event.createdAt))
    assert.equal(iso(times.at(-1) ?? 0).slice(0, 16), '2027-03-01T09:30')
    assert.equal((times.at(-1) ?? 0) - (times[0] ?? 0), 409_033)
    assert.equal(events.at(-1)?.id, 'b9665ae7-9ce8-4ee9-8ea8-353d13e773a9')
    assert.equal(Date.parse(events.at(-1)?.expiresAt ?? '') - (times.at(-1) ?? 0), 30 * 86_400_000)
  }))

test('ties make offset paging repeat rows and lose others about as much as measured, and one large page lose none', () =>
  withInfisical({ events: 4000, faults: ['infisical:ties=3000'] }, async (asked) => {
    const first = await readAll(asked, EVERYTHING, 100)
    assert.equal(first.length, 4000)
    const distinct = new Set(idsOf(first)).size
    // Measured on a real server: 2,393 of the 3,000 tied rows.
    assert.ok(distinct > 1000 + 2000 && distinct < 1000 + 2800, `${distinct} distinct rows`)
    const tied = first.filter((event) => event.createdAt === first[2000]?.createdAt)
    assert.equal(tied.length, 3000)
  }))

test('a tie group that fits into one page is whole on it, in an order that changes', () =>
  withInfisical({ events: 2000, faults: ['infisical:ties=600'] }, async (asked) => {
    const all = await asked.page({ ...EVERYTHING, limit: 1000, offset: 500 })
    const group = all.filter((event) => event.createdAt === all[500]?.createdAt)
    assert.equal(new Set(idsOf(group)).size, 600)
    const orders = new Set<string>()
    for (let turn = 0; turn < 12; turn += 1) {
      orders.add(idsOf(await asked.page({ ...EVERYTHING, limit: 1000, offset: 500 })).join())
    }
    assert.ok(orders.size > 2, `${orders.size} orders`)
    const ms = Date.parse(group[0]?.createdAt ?? '')
    const tight = { startDate: iso(ms), endDate: iso(ms + 1), limit: 1000 }
    assert.equal((await asked.page(tight)).length, 600)
  }))

test('ties are met through filters too', () =>
  withInfisical({ events: 3000, faults: ['infisical:ties=2500'] }, async (asked) => {
    const query = { ...EVERYTHING, eventType: 'get-secret,get-secrets' }
    const first = await readAll(asked, query, 50)
    assert.ok(new Set(idsOf(first)).size < first.length)
  }))

test('rows of one millisecond that differ below it keep their order', () =>
  withInfisical({ events: 2000, faults: ['infisical:ms-ties=400'] }, async (asked) => {
    const all = await readAll(asked, EVERYTHING, 90)
    assert.equal(new Set(idsOf(all)).size, 2000)
    const perTime = Map.groupBy(all, (event) => event.createdAt)
    assert.ok(Math.max(...[...perTime.values()].map((rows) => rows.length)) >= 400)
  }))

test('ClickHouse shows an event twice under one id, and no expiry', () =>
  withInfisical(
    { events: 1000, faults: ['infisical:duplicates=50', 'infisical:clickhouse'] },
    async (asked) => {
      const all = await readAll(asked, EVERYTHING, 300)
      assert.equal(all.length, 1020)
      assert.equal(new Set(idsOf(all)).size, 1000)
      assert.ok(all.every((event) => event['expiresAt'] === null))
      assert.equal([...(asked.service.events?.() ?? [])].length, 1000)
    },
  ))

test('appended events stand at the head, keep their bytes, and are among the events of the source', () =>
  withInfisical({}, async ({ admin, list, now, advance, page, service }) => {
    const line = `{"id":"odd-1","createdAt":"${iso(now())}","event":{"type":"get-secret","metadata":{"n":12345678901234567890,"x":1.0}},"actor":{"type":"user","metadata":{}}}`
    await admin('events', `${line}\n`, 'application/x-ndjson')
    await admin('events', { count: 3 })
    advance(5000)
    const query = { startDate: iso(RECORDED_NOW - 60_000), endDate: iso(now()), limit: 10 }
    const answer = await list(query)
    assert.ok(answer.text.includes(line))
    assert.equal((await page(query)).filter((event) => event.event.type === 'get-secret').length, 4)
    assert.equal([...(service.events?.() ?? [])].length, 4436)
  }))
