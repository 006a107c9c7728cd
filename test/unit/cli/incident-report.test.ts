import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { collectIncident, type Incident } from '../../../src/cli/incident/collect.ts'
import { incidentReport } from '../../../src/cli/incident/report.ts'
import type { Receipt } from '../../../src/core/destination.ts'
import type { RunReport } from '../../../src/core/report.ts'
import { HOUR_MS, isoTime } from '../../../src/core/time-range.ts'
import { Ledger } from '../../../src/state/ledger.ts'
import type { RunGap } from '../../../src/state/run-record.ts'
import { NOTHING_CARRIED } from '../../../src/state/run-rows.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { rowsUnder } from '../../support/markdown.ts'
import { type Bench, linesOf, WINDOW, withBench } from '../../support/scripted-backfill.ts'
import { idOf } from '../../support/scripted-source.ts'

const FUSE = { maxMissing: { percent: 100 } }

async function incidentOf(bench: Bench, report: RunReport): Promise<{ incident: Incident; text: string }> {
  const incident = await collectIncident(bench.ledger, report, '1.2.3')
  return { incident, text: incidentReport(incident) }
}

/** The SIEM stores the neighbours of one event, and refuses it. */
function refuse(bench: Bench, id: string, reason: string): void {
  bench.siem.judge = (ids) => {
    const position = ids.indexOf(id)
    if (position < 0) return undefined
    const receipt = (n: number): Partial<Receipt> => ({
      ...(position > 0 ? { accepted: [[0, position]] } : {}),
      rejected: [{ position, code: 'http-400', reason }],
      ...(position + 1 < n ? { retry: [[position + 1, n]] } : {}),
      code: 'http-400',
    })
    return { stores: [[0, position]], receipt }
  }
}

const timeOf = (lines: readonly string[], n: number): string =>
  (JSON.parse(lines[n] ?? '') as { createdAt: string }).createdAt

describe('the incident report of a backfill', () => {
  // 240 events over four slices: missing are 0-9, 55-64 (over the border between two slices) and 239.
  const isLost = (n: number): boolean => n < 10 || (n >= 55 && n < 65) || n === 239
  const lines = linesOf(240)
  const after = (n: number): string => isoTime(Date.parse(timeOf(lines, n)) + 1)

  test('tells each gap with its times, its events and what was refilled of it', () =>
    withBench({ lines }, async (bench) => {
      bench.siem.hold(lines.filter((_, n) => !isLost(n)))
      const { report } = await bench.run({ verify: true })
      const { text } = await incidentOf(bench, report)
      assert.match(
        text,
        /21 events of the 240 recorded by the source \(8\.8 %\) were not held by `soc`, in 3 gaps:/,
      )
      assert.deepEqual(
        rowsUnder(text, 'What was lost').map(([from, to, , events, refilled, absent, first, last]) => [
          ...[from, to, events, refilled, absent, first, last],
        ]),
        [
          [timeOf(lines, 0), after(9), '10', '10', '0', `\`${idOf(0)}\``, `\`${idOf(9)}\``],
          [timeOf(lines, 55), after(64), '10', '10', '0', `\`${idOf(55)}\``, `\`${idOf(64)}\``],
          [timeOf(lines, 239), after(239), '1', '1', '0', `\`${idOf(239)}\``, `\`${idOf(239)}\``],
        ],
      )
      assert.match(text, /Every one of them was found in the SIEM afterwards/)
      assert.match(text, /## What is not in the SIEM\n\nNothing that this run knows of\./)
    }))

  test('tells the same gaps when its scan was killed in the middle of one and resumed', () =>
    withBench({ lines }, async (bench) => {
      bench.siem.hold(lines.filter((_, n) => !isLost(n)))
      const whole = await bench.run()
      const expected = bench.ledger.gaps(whole.report.run ?? '')
      bench.siem.rows.length = 0
      bench.siem.hold(lines.filter((_, n) => !isLost(n)))
      const begun = bench.start()
      const [first, second] = [WINDOW.from, WINDOW.from + HOUR_MS]
      const only = (from: number, to: number) => ({ windows: [{ from, to }] })
      bench.source.failure = undefined
      const abort = new AbortController()
      const stopped = await bench.resume(begun.id, only(first, WINDOW.to), {
        signal: abort.signal,
        observe: ({ phase, done }) => {
          if (phase === 'scan' && done === second) abort.abort(new Error('killed'))
        },
      })
      assert.equal(stopped.report.status, 'failed')
      assert.ok(bench.ledger.gaps(begun.id).at(-1)?.isOpen, 'it was stopped inside a gap')
      await bench.resume(begun.id)
      assert.deepEqual(bench.ledger.gaps(begun.id), expected)
    }))

  test('tells what was refused and what was too late, by reason, and where it lies', () =>
    withBench({ lines, siem: { accepts: { pastMs: 4 * HOUR_MS } } }, async (bench) => {
      refuse(bench, idOf(200), 'no | such <field>')
      const { report } = await bench.run({ ...FUSE, late: 'skip' })
      assert.deepEqual([report.late > 0, report.rejected > 0], [true, true])
      const { text } = await incidentOf(bench, report)
      const rows = rowsUnder(text, 'What is not in the SIEM')
      assert.equal(rows.length, 2)
      assert.match(rows.flat().join(' '), /too late for the destination, not sent/)
      assert.match(rows.flat().join(' '), /`http-400` no &#124; such &lt;field&gt;/)
      const gone = report.late + report.rejected
      assert.match(
        text,
        new RegExp(`${gone} events gone for good unless sent again\\. They lie in \`.*dead-letter`),
      )
      assert.match(text, new RegExp(`auditctl runs resend ${report.run}`))
      assert.match(text, /dead letters: `.*dead-letter\.jsonl`, SHA-256 `[0-9a-f]{64}`/)
      const [gap] = rowsUnder(text, 'What was lost')
      assert.deepEqual([gap?.[3], gap?.[4], gap?.[5]], ['240', String(report.delivered), String(gone)])
    }))

  test('counts what an earlier run had given up on, although this one did not try it', () =>
    withBench({ lines: linesOf(10) }, async (bench) => {
      refuse(bench, idOf(3), 'no')
      await bench.run(FUSE)
      bench.siem.judge = undefined
      const { report } = await bench.run(FUSE)
      assert.deepEqual([report.delivered, report.rejected], [0, 1])
      const { text, incident } = await incidentOf(bench, report)
      assert.ok(
        incident.gaps.reduce((sum, gap) => sum + gap.missing, 0) === report.scanned - report.alreadyHeld,
      )
      assert.match(text, /\d+ events? that earlier runs had given up on or archived/)
    }))

  test('an archived event is not in the SIEM, and not lost', () =>
    withBench({ lines: linesOf(8), siem: { accepts: { pastMs: 3 * HOUR_MS } } }, async (bench) => {
      const { report } = await bench.run({ ...FUSE, late: 'archive' })
      assert.ok(report.archived > 0)
      const { text } = await incidentOf(bench, report)
      assert.match(text, /too late for the destination, written to the archive/)
      assert.doesNotMatch(text, /gone for good/)
    }))

  test('of --all and of a dry run claims no loss that nobody looked for', () =>
    withBench({ lines: linesOf(8) }, async (bench) => {
      const all = await incidentOf(bench, (await bench.run({ mode: 'all' })).report)
      assert.match(all.text, /What was lost, and when\n\nNot known: the whole window was sent/)
      assert.doesNotMatch(all.text, /auditctl gaps/)
      assert.match(all.text, /--all --dry-run/)
      const dry = await incidentOf(bench, (await bench.plan(FUSE)).report)
      assert.match(dry.text, /Nothing yet: this is a plan/)
      assert.doesNotMatch(dry.text, /runs show/)
    }))

  test('a dry run leaves no gap behind in the ledger', () =>
    withBench({ lines: linesOf(8) }, async (bench) => {
      await bench.plan(FUSE)
      assert.deepEqual(bench.ledger.gaps('dry-pair'), [])
    }))
})

test('a ledger of an earlier release is given room for gaps when it is opened', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-incident-'))
  try {
    const before = await Ledger.open(folder, fakeClock())
    const question = {
      mode: 'missing',
      source: 'prod',
      stream: 'soc',
      from: 0,
      to: 9,
      typedWindow: '',
    } as const
    const { id } = before.createRun('key', { ...question, filter: '{}' })
    before.close()
    const database = new DatabaseSync(join(folder, 'ledger.db'))
    database.exec('drop table gaps')
    database.close()
    const ledger = await Ledger.open(folder, fakeClock())
    assert.deepEqual(ledger.gaps(id), [])
    const progress = {
      doneThrough: 9,
      scanned: 1,
      held: 0,
      spooled: 1,
      spoolBytes: 2,
      carried: NOTHING_CARRIED,
    }
    const gap: RunGap = {
      ...{ n: 0, range: { from: 3, to: 4 }, missing: 1, spoolFirst: 0, spooled: 1 },
      ...{ firstId: 'a', lastId: 'a', isOpen: true },
    }
    ledger.commitScan(id, progress, [gap])
    ledger.commitScan(id, progress, [{ ...gap, missing: 2, lastId: 'b', isOpen: false }])
    assert.deepEqual(ledger.gaps(id), [{ ...gap, missing: 2, lastId: 'b', isOpen: false }])
    ledger.remove(id)
    assert.deepEqual(ledger.gaps(id), [])
    ledger.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
