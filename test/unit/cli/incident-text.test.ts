import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Incident } from '../../../src/cli/incident/collect.ts'
import { gapFates } from '../../../src/cli/incident/gap-fates.ts'
import { block, code, plain, table } from '../../../src/cli/incident/markdown.ts'
import { incidentReport } from '../../../src/cli/incident/report.ts'
import type { RunQuestion, RunReport } from '../../../src/core/report.ts'
import { MINUTE_MS } from '../../../src/core/time-range.ts'
import type { RunGap, SpoolRange } from '../../../src/state/run-record.ts'
import { rowsUnder } from '../../support/markdown.ts'

describe('the commands to repeat it', () => {
  const report = (more: Partial<RunReport>): RunReport => ({
    ...({ run: '20261120T021000-4f1c00', status: 'completed', source: 'prod', stream: 'soc' } as const),
    window: { from: '2026-11-20T02:00:00.000Z', to: '2026-11-20T03:00:00.000Z' },
    ...{
      mode: 'missing',
      scanned: 9,
      alreadyHeld: 9,
      selected: 0,
      delivered: 0,
      rejected: 0,
      late: 0,
      archived: 0,
    },
    ...{
      unresolved: 0,
      pending: 0,
      duplicatesPossible: 0,
      batches: 0,
      requests: 0,
      retries: 0,
      bytesSent: 0,
    },
    ...{ verified: null, stillMissing: null, deadLetter: null, durationMs: 5, problems: [], warnings: [] },
    ...more,
  })
  const incident = (question: Partial<RunQuestion>, more: Partial<RunReport> = {}): Incident => ({
    report: report(more),
    question: {
      ...({ mode: 'missing', source: 'prod', stream: 'soc', from: 0, to: 1, typedWindow: '' } as const),
      filter: '{"fields":{},"events":[],"where":[]}',
      ...question,
    },
    ...{ gaps: [], refusals: [], sent: undefined, evidence: [], version: '1.2.3' },
  })

  test('carry source, stream, window and filters, quoted for a shell', () => {
    const filter = JSON.stringify({
      fields: { actor: "o'neil; rm -rf /", path: '/a b' },
      events: ['get-secret', 'get-secrets'],
      where: [{ path: ['a', 'b'], operator: '!=', value: '$(x)' }],
    })
    const text = incidentReport(incident({ filter, foundBy: { file: '/tmp/held ids.txt' } }))
    const filters = `--event get-secret,get-secrets --actor 'o'\\''neil; rm -rf /' --path '/a b' --where 'a.b!=$(x)'`
    const window = '--from 2026-11-20T02:00:00.000Z --to 2026-11-20T03:00:00.000Z'
    assert.ok(
      text.includes(
        `auditctl gaps --source prod --stream soc ${window} ${filters} --inventory '/tmp/held ids.txt'\n`,
      ),
      text,
    )
    assert.ok(text.includes(`auditctl query --source prod ${window} ${filters} --order asc\n`), text)
    assert.match(text, /by the ids in the file `\/tmp\/held ids\.txt`/)
  })

  test('the inventory and its query are named', () => {
    const query = 'search index=audit\n| table id'
    const text = incidentReport(incident({ foundBy: { provider: 'splunk', query, where: 'Splunk Web' } }))
    assert.match(text, /by the search of `soc` \(splunk\)\. Its query/)
    assert.ok(text.includes('```\nsearch index=audit\n| table id\n```\n\nTo run it by hand: Splunk Web'))
  })

  test('of an export repeat the export beside what it wrote, and nothing speaks of a stream', () => {
    const folder = mkdtempSync(join(tmpdir(), 'auditctl-incident-'))
    try {
      const out = `${folder}/`
      writeFileSync(join(folder, 'manifest.json'), '{}')
      const command = {
        from: '24h',
        format: 'csv',
        out,
        compress: 'zstd',
        event: ['a', 'b'],
        overwrite: true,
        csvGuard: true,
        explain: false,
      }
      const text = incidentReport(
        incident(
          { mode: 'export', stream: null, command },
          { mode: 'export', stream: null, out: folder, written: 9 },
        ),
      )
      assert.match(text, /^# Audit log export\n/)
      assert.doesNotMatch(text, /stream|SIEM|lost/i)
      assert.ok(text.includes(`9 events to \`${out}\` as csv. It is complete.`), text)
      assert.ok(
        text.includes(
          `auditctl export --from 2026-11-20T02:00:00.000Z --to 2026-11-20T03:00:00.000Z --out ${folder}.again/ --format csv --compress zstd --event a --event b\n`,
        ),
        text,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('of a resend name the run whose dead letters were sent again', () => {
    const text = incidentReport(
      incident(
        { mode: 'resend', typedWindow: 'resend 20261119T000000-aaaaaa' },
        { mode: 'resend', delivered: 3 },
      ),
    )
    assert.match(text, /9 events that an earlier run had not delivered \(resend 20261119T000000-aaaaaa\)/)
  })

  test('more gaps than anyone reads are summed up', () => {
    const gap = (n: number): RunGap => ({
      ...{ n, missing: 1, spoolFirst: n, spooled: 1, firstId: `i${n}`, lastId: `i${n}`, isOpen: false },
      range: { from: n * MINUTE_MS, to: n * MINUTE_MS + 1 },
    })
    const gaps = gapFates(
      Array.from({ length: 1000 }, (_, n) => gap(n)),
      [],
    )
    const text = incidentReport({ ...incident({}, { scanned: 5000, alreadyHeld: 0, pending: 5000 }), gaps })
    assert.equal(rowsUnder(text, 'What was lost').length, 200)
    assert.match(text, /4,800 events more in later gaps, after 1970-01-01T03:19:00\.001Z/)
  })
})

test('gaps share ranges of the spool, and each gets what is its own', () => {
  const gap = (n: number, spoolFirst: number, spooled: number, missing = spooled): RunGap => ({
    ...{
      n,
      missing,
      spoolFirst,
      spooled,
      firstId: '',
      lastId: '',
      isOpen: false,
      range: { from: n, to: n + 1 },
    },
  })
  const range = (first: number, count: number, state: SpoolRange['state']): SpoolRange => ({
    ...{ first, count, state, spoolFrom: 0, spoolTo: 0, sentAt: undefined, attempts: 1 },
    ...{ code: undefined, reason: undefined },
  })
  const fates = gapFates(
    [gap(0, 0, 5), gap(1, 5, 5, 7), gap(2, 10, 4)],
    [range(0, 7, 'delivered'), range(7, 2, 'rejected'), range(9, 2, 'archived'), range(11, 1, 'unknown')],
  )
  assert.deepEqual(
    fates.map(({ delivered, lost, archived, others }) => [delivered, lost, archived, others]),
    [
      [5, 0, 0, 0],
      [2, 4, 1, 0],
      [0, 0, 1, 3],
    ],
  )
})

describe('hostile text in Markdown', () => {
  const HOSTILE = 'a|b\n# c <img src=x> `x` ```y``` [l](http://e) *b* \u001b[31m \u202e \\| &amp; ~~s~~'

  test('keeps the table, the line and the page as they were', () => {
    for (const cell of [plain(HOSTILE), code(HOSTILE)]) {
      const [, , row = ''] = table(['x', 'y'], [[cell, 'z']]).split('\n')
      assert.equal(row.split('|').length, 4, row)
      assert.ok(!/[\n\u001b\u202e]/.test(row))
    }
    assert.ok(!/<|(?<!\\)[`*~[\]]/.test(plain(HOSTILE).replaceAll('\\\\', '')), plain(HOSTILE))
    for (const [text, expected] of [
      ['# x', '\\# x'],
      ['- x', '\\- x'],
      ['1. x', '1\\. x'],
      ['0.1.0', '0.1.0'],
      ['too_old', 'too_old'],
      ['_x_', '\\_x\\_'],
    ] as const)
      assert.equal(plain(text), expected)
  })

  test('does not end a code span or a block', () => {
    assert.equal(code('a`b'), '``a`b``')
    assert.equal(code('`'), '`` ` ``')
    assert.equal(block(['x', '```', 'y']), '````\nx\n```\ny\n````')
    assert.ok(!block(['a\u001b[2J']).includes('\u001b'))
  })
})
