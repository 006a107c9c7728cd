import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import {
  compileFilter,
  type FilterFields,
  isUnderPath,
  NO_FILTER,
  parseWhere,
  valueAt,
} from '../../../src/core/filter.ts'
import { namedEvent } from '../../support/span-events.ts'

const eventOf = (record: unknown) => namedEvent(Buffer.from(JSON.stringify(record)), 'id')
const RECORD = {
  id: 'e1',
  size: 12,
  text: '9',
  when: '2026-11-20T10:00:00.000Z',
  nothing: null,
  flag: true,
  'a.b': 'literal',
  a: { b: 'nested', c: { d: 1 } },
  list: [{ name: 'x' }, { name: 'y' }],
  '': 'empty',
}

for (const [path, expected] of [
  ['id', 'e1'],
  ['a.b', 'literal'],
  ['a.c.d', 1],
  ['a.c', { d: 1 }],
  ['list.name', ['x', 'y']],
  ['list.1.name', 'y'],
  ['list.7.name', undefined],
  ['nothing', null],
  ['nothing.more', undefined],
  ['__proto__.x', undefined],
  ['constructor', undefined],
] as const) {
  test(`valueAt() of ${path} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(valueAt(RECORD, path.split('.')), expected)
  })
}

for (const [expression, holds] of [
  ['id=e1', true],
  ['id=e2', false],
  ['id!=e2', true],
  ['id!=e1', false],
  ['absent=x', false],
  ['absent!=x', true],
  ['nothing=null', true],
  ['flag=true', true],
  ['size=12', true],
  ['size=12.0', true],
  ['size!=1.2e1', false],
  ['size=', false],
  ['text=9.0', false],
  ['size>9', true],
  ['size>12', false],
  ['size>=12', true],
  ['size<100', true],
  ['size<=11', false],
  ['text>10', false],
  ['when>2026-11-20T09', true],
  ['when<2026-11-20T09', false],
  ['a.c={"d":1}', true],
  ['list.name=y', true],
  ['list.name!=y', false],
  ['list.name~^[xz]$', true],
  ['id~E', false],
  ['id=e=1', false],
  ['a.b = literal', true],
  ['absent>0', false],
] as const) {
  test(`--where ${expression} ${holds ? 'holds' : 'does not hold'}`, () => {
    const matches = compileFilter({ ...NO_FILTER, where: [parseWhere(expression)] }, {}, 'prod')
    assert.equal(matches(eventOf(RECORD)), holds)
  })
}

test('--where finds a number that is too large for a double by its own digits', () => {
  const matches = compileFilter({ ...NO_FILTER, where: [parseWhere('n=12345678901234567890')] }, {}, 'prod')
  assert.ok(matches(namedEvent(Buffer.from('{"id":"a","n":12345678901234567890}'), 'id')))
  assert.ok(!matches(namedEvent(Buffer.from('{"id":"a","n":12345678901234}'), 'id')))
})

test('parseWhere() keeps everything after the operator, also operators', () => {
  assert.deepEqual(parseWhere('a.b=c=d!=e'), { path: ['a', 'b'], operator: '=', value: 'c=d!=e' })
  assert.deepEqual(parseWhere('a>=5'), { path: ['a'], operator: '>=', value: '5' })
})

for (const [text, said] of [
  ['', /not an expression/],
  ['=x', /not an expression/],
  ['abc', /not an expression/],
  ['a~(', /not a regular expression/],
] as const) {
  test(`parseWhere() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseWhere(text),
      (error) => error instanceof UserError && said.test(error.message),
    )
  })
}

const FIELDS: FilterFields = {
  event: (record, value) => record['type'] === value,
  actor: (record, value) => record['actor'] === value,
  path: (record, value) => isUnderPath(String(record['path']), value),
}

test('compileFilter() wants every filter to hold, and one of the event types', () => {
  const matches = compileFilter(
    { events: ['read', 'write'], fields: { actor: 'ada', path: '/a' }, where: [parseWhere('n>1')] },
    FIELDS,
    'prod',
  )
  const event = { type: 'write', actor: 'ada', path: '/a/b', n: 2 }
  assert.equal(matches(eventOf(event)), true)
  for (const change of [{ type: 'other' }, { actor: 'bob' }, { path: '/ab' }, { n: 1 }])
    assert.equal(matches(eventOf({ ...event, ...change })), false, JSON.stringify(change))
})

test('compileFilter() refuses a filter that means nothing for the source, naming those that do', () => {
  assert.throws(
    () => compileFilter({ ...NO_FILTER, fields: { model: 'x' } }, FIELDS, 'prod'),
    (error) =>
      error instanceof UserError &&
      error.message === '--model means nothing for the source prod' &&
      error.hint === 'it understands --event, --actor, --path and --where',
  )
  assert.throws(() => compileFilter({ ...NO_FILTER, events: ['x'] }, {}, 'prod'), /--event means nothing/)
})

for (const [path, prefix, under] of [
  ['/a', '/a', true],
  ['/a/b', '/a', true],
  ['/a/b', '/a/', true],
  ['/ab', '/a', false],
  ['/', '/', true],
  ['/x', '/', true],
  ['/x', '', true],
  ['/A', '/a', false],
] as const) {
  test(`isUnderPath(${path}, ${prefix}) is ${under}`, () => assert.equal(isUnderPath(path, prefix), under))
}
