import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gapPrinter, refillCommand } from '../../../src/cli/gap-printer.ts'
import type { Runtime } from '../../../src/cli/runtime.ts'
import { UserError } from '../../../src/core/errors.ts'
import { type EventFilter, NO_FILTER } from '../../../src/core/filter.ts'
import type { Gap, GapReport } from '../../../src/core/report.ts'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../../src/core/time-range.ts'
import { namedEvent } from '../../support/span-events.ts'
import { fakeRuntime, invocation } from './fake-runtime.ts'

const FROM = Date.parse('2026-11-20T02:00:00.000Z')
const WINDOW = { from: FROM, to: FROM + HOUR_MS }

function gapAt(minute: number, missing = 1): Gap {
  const from = FROM + minute * MINUTE_MS
  return { from: isoTime(from), to: isoTime(from + 1), missing, firstId: `f${minute}`, lastId: `l${minute}` }
}

function reportOf(gaps: readonly Gap[], more: Partial<GapReport> = {}): GapReport {
  const missing = gaps.reduce((sum, gap) => sum + gap.missing, 0)
  return {
    ...{ source: 'prod', stream: 'soc', window: { from: isoTime(WINDOW.from), to: isoTime(WINDOW.to) } },
    ...{
      judgedTo: isoTime(WINDOW.to),
      method: 'ids',
      sourceEvents: 5000,
      heldEvents: 5000 - missing,
      missing,
    },
    ...{ tooYoung: 0, unexpected: 0, duplicates: 0, complete: missing === 0, gaps, provenUntil: null },
    ...{ warnings: [], ...more },
  }
}

async function printed(
  report: GapReport,
  options: { readonly isTerminal?: boolean; readonly output?: 'table' | 'json' | 'jsonl' | 'csv' } = {},
  more: Partial<Runtime> = {},
): Promise<string> {
  const fake = fakeRuntime({ isTerminal: options.isTerminal ?? false })
  const runtime = { ...fake.runtime, ...more }
  await gapPrinter(invocation('gaps'), runtime, WINDOW, NO_FILTER).finish(report, options.output)
  return fake.stdout()
}

describe('what gaps prints', () => {
  const report = reportOf([gapAt(10, 1203), gapAt(30)], { duplicates: 2, unexpected: 1, tooYoung: 7 })

  test('in a pipe is the report, one object', async () => {
    assert.deepEqual(JSON.parse(await printed(report)), report)
  })

  test('with -o jsonl is one gap a line, with -o csv a table with its header', async () => {
    const lines = (await printed(report, { output: 'jsonl' })).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as Gap),
      report.gaps,
    )
    const csv = await printed(reportOf([]), { output: 'csv' })
    assert.equal(csv, 'from,to,missing,firstId,lastId\r\n')
  })

  test('on a terminal is the map, the gaps, the sums and the command that refills them', async () => {
    const text = await printed(report, { isTerminal: true })
    assert.match(text, /^source {2}\|/)
    assert.match(text, /1,203 +f10 +l10/)
    assert.match(
      text,
      /5,000 events in the source, 3,796 held, 1,204 missing in 2 gaps; 2 held more than once, 1 held but not in the source, 7 too young to judge/,
    )
    assert.ok(
      text.endsWith(
        'Refill it with:\n  auditctl backfill --source prod --stream soc --from 2026-11-20T02:10:00.000Z --to 2026-11-20T02:30:00.001Z --missing --verify\n',
      ),
      text,
    )
  })

  test('of a whole window proposes nothing to refill', async () => {
    const text = await printed(reportOf([], { provenUntil: isoTime(WINDOW.to) }), { isTerminal: true })
    assert.match(text, /0 missing in 0 gaps\nproven until 2026-11-20T03:00:00\.000Z\n$/)
    assert.doesNotMatch(text, /Refill/)
  })

  test('says how many gaps a table leaves out', async () => {
    const many = reportOf(Array.from({ length: 23 }, (_, n) => gapAt(n)))
    const text = await printed(many, { isTerminal: true })
    assert.match(text, /… and 3 more gaps \(-o jsonl lists all\)/)
    assert.equal(text.match(/^2026-/gm)?.length, 20)
  })

  test('is nothing with -q when nothing is missing, and everything when something is', async () => {
    assert.equal(await printed(reportOf([]), {}, { quiet: true }), '')
    assert.notEqual(await printed(reportOf([]), { output: 'json' }, { quiet: true }), '')
    assert.notEqual(await printed(report, {}, { quiet: true }), '')
  })

  test('shows hostile ids of an inventory without their control characters', async () => {
    const evil = { ...gapAt(1), firstId: 'a\u001b[2Jb\u202e' }
    const text = await printed(reportOf([evil]), { isTerminal: true })
    assert.ok(!/[\u001b\u202e]/.test(text), JSON.stringify(text))
  })
})

describe('the command that refills', () => {
  const filter: EventFilter = {
    fields: { actor: "o'neil", path: '/a b' },
    events: ['get-secret', 'get-secrets'],
    where: [{ path: ['a', 'b'], operator: '>', value: '5' }],
  }

  test('carries the filters: without them it would send more than was looked for', () => {
    assert.equal(
      refillCommand(reportOf([gapAt(10)]), filter, invocation('gaps')),
      `auditctl backfill --source prod --stream soc --from 2026-11-20T02:10:00.000Z --to 2026-11-20T02:10:00.001Z --event get-secret,get-secrets --actor 'o'\\''neil' --path '/a b' --where 'a.b>5' --missing --verify`,
    )
  })

  test('carries the inventory file with the window that it covers', () => {
    const options = { inventory: 'held ids.txt', inventoryWindow: '1/2', inventoryField: 'x' }
    const command = refillCommand(reportOf([gapAt(10)]), NO_FILTER, invocation('gaps', [], options))
    assert.match(command, / --inventory 'held ids\.txt' --inventory-field x --inventory-window 1\/2$/)
  })
})

describe('--ids-out', () => {
  test('gets each missing id on a line of its own, readable by its owner only', () => {
    const folder = mkdtempSync(join(tmpdir(), 'auditctl-gaps-'))
    try {
      const path = join(folder, 'ids.txt')
      const fake = fakeRuntime({})
      let close = (): void => {}
      const runtime: Runtime = { ...fake.runtime, onExit: (clean) => (close = clean as () => void) }
      const printer = gapPrinter(invocation('gaps', [], { idsOut: path }), runtime, WINDOW, NO_FILTER)
      for (let n = 0; n < 20_001; n += 1)
        printer.onEvent(namedEvent(Buffer.from('{}'), `id-${n}`), n % 2 === 0)
      printer.onEvent(namedEvent(Buffer.from('{}'), 'two\nlines'), true)
      close()
      const ids = readFileSync(path, 'utf8').trimEnd().split('\n')
      assert.equal(ids.length, 10_002)
      assert.deepEqual([ids[0], ids[10_000], ids[10_001]], ['id-0', 'id-20000', 'twolines'])
      assert.equal(statSync(path).mode & 0o777, 0o600)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('that cannot be written ends the command before anything is read', () => {
    const asked = invocation('gaps', [], { idsOut: '/dev/null/ids.txt' })
    assert.throws(() => gapPrinter(asked, fakeRuntime({}).runtime, WINDOW, NO_FILTER), UserError)
  })
})

test('--time tells the times of gaps as it tells those of events', async () => {
  for (const [options, expected] of [
    [{ time: 'local', tz: 'Asia/Tokyo' }, /\n2026-11-20 11:10:00 {2}2026-11-20 11:10:00 {2}1 /],
    [{ time: 'relative' }, /\n\d+d[^\n]* ago {2}/],
    [{}, /\n2026-11-20T02:10:00\.000Z {2}2026-11-20T02:10:00\.001Z {2}1 /],
  ] as const) {
    const fake = fakeRuntime({ isTerminal: true })
    const clock = { ...fake.runtime.clock, now: () => FROM + 10 * 24 * HOUR_MS }
    const runtime = { ...fake.runtime, clock, io: { ...fake.runtime.io, columns: 120 } }
    await gapPrinter(invocation('gaps', [], options), runtime, WINDOW, NO_FILTER).finish(
      reportOf([gapAt(10)]),
      undefined,
    )
    assert.match(fake.stdout(), expected)
    assert.match(fake.stdout(), /--from 2026-11-20T02:10:00\.000Z/, 'a command is always exact')
  }
})
