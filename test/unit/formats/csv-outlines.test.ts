import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../../src/core/event.ts'
import { EventScanner } from '../../../src/core/event-scanner.ts'
import { csvLine } from '../../../src/formats/csv.ts'
import { csvWriter } from '../../../src/formats/csv-bytes.ts'
import { eventsOfLog, seededRandom } from '../../support/json-fuzz.ts'
import { knownEvents, spanEvents } from '../../support/span-events.ts'

const COLUMNS = ['id', 'createdAt', 'event', 'event.metadata', 'event.id', 'actor.a', 'actor.metadata.b', 'a']
COLUMNS.push('a.b', 'a.b.a', 'b', 'é', 'x y', '', 'event.0', 'b.0.a', 'a.length', 'id', '0', '__proto__')
const pathsOf = (columns: readonly string[]) => columns.map((column) => column.split('.'))
const reference = (events: readonly AuditEvent[], columns: readonly string[]) =>
  events.map((event) => csvLine(event, pathsOf(columns))).join('')

test('CSV of events of one outline is that of csv-stringify, known to their page or compared with others (fuzzed)', () => {
  const random = seededRandom(79)
  let [known, rows] = [0, 0]
  for (let round = 0; round < 40; round += 1) {
    const guard = round % 2 === 0
    const columns = ['id', ...COLUMNS.filter(() => random() < 0.8)]
    const compared = csvWriter(columns, { guard })
    const told = csvWriter(columns, { guard })
    const scanner = new EventScanner({ idKey: 'id', timeKey: 'createdAt' })
    const all = eventsOfLog(random, 180)
    for (let page = 0; page < 3; page += 1) {
      const texts = all.slice(page * 60, page * 60 + 60)
      const expected = spanEvents(texts).map((event) => csvLine(event, pathsOf(columns), { guard }))
      assert.equal(Buffer.from(compared.encode(spanEvents(texts))).toString(), expected.join(''))
      const events = knownEvents(scanner, texts)
      assert.equal(Buffer.from(told.encode(events)).toString(), expected.join(''))
      const into = { outline: undefined, marks: new Int32Array(1024), hasEscapes: false }
      known += events.filter((event) => event.readValues(into)).length
      rows += events.length
    }
  }
  assert.ok(known > rows / 4, `${known} of ${rows} events were known`)
})

test('CSV of a second event of an outline follows its plan: quotes, escapes, formulas and numbers', () => {
  const text = (name: string, n: string) =>
    `{"id":"x","actor":{"type":"${name}","metadata":{"n":[${n},"${name}",true],"e":{}}},"n":${n},"z":null,"s":[${n}]}`
  const columns = ['actor.metadata', 'id', 'z', 'actor.type', 'n', 's', 'actor.type']
  const writer = csvWriter(columns)
  const names = ['a', 'b,c', '=d', 'say \\"hi\\"', '日本語', '', '＝e', `${'x'.repeat(500)},y`, '\\u00e9']
  const texts = names.map((name, n) => text(name, ['-1.5', '0', '1e3'][n % 3] ?? ''))
  assert.equal(
    Buffer.from(writer.encode(spanEvents(texts))).toString(),
    reference(spanEvents(texts), columns),
  )
  const [row = ''] = Buffer.from(writer.encode(spanEvents([text('b,c', '7')])))
    .toString()
    .split('\r\n')
  assert.equal(row, '"{""n"":[7,""b,c"",true],""e"":{}}",x,,"b,c",7,[7],"b,c"')
})
