import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../src/core/event.ts'
import type { GapReport, RunReport } from '../../src/core/report.ts'
import { assertArithmetic } from '../support/scripted-backfill.ts'
import { type SplunkBench, startSplunkBench } from '../support/splunk-bench.ts'

const START = Date.UTC(2026, 10, 1)

type Setup = Parameters<typeof startSplunkBench>[0]
async function withSplunk(setup: Setup, work: (bench: SplunkBench) => Promise<void>): Promise<void> {
  const bench = await startSplunkBench(setup)
  try {
    await work(bench)
  } finally {
    await bench.close()
  }
}

const backfill = (bench: SplunkBench, ...more: string[]) => [
  'backfill',
  '--stream',
  'soc',
  ...bench.window,
  ...more,
]
const received = ({ splunk }: SplunkBench): number => splunk.receivedIds?.().length ?? 0
const runsOf = async (bench: SplunkBench) =>
  (await bench.run(['runs', 'list', '-o', 'json'])).json<RunReport[]>()
/** Lines of the error: exactly one error, whatever else was said. */
const errorsOf = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('auditctl: '))

describe('auditctl backfill', () => {
  test('finds an outage, refills it, proves it, and has nothing to do the second time', () =>
    withSplunk({ events: 3000, drop: { from: START + 60_000, to: START + 90_000 } }, async (bench) => {
      const gaps = await bench.run(['gaps', '--stream', 'soc', ...bench.window, '-o', 'json'])
      assert.equal(gaps.code, 3, gaps.stderr)
      const { missing } = gaps.json<GapReport>()
      assert(missing > 200)
      const plan = await bench.run(backfill(bench, '--dry-run'))
      assert.equal(plan.code, 0, plan.stderr)
      const planned = plan.json<RunReport>()
      assert.equal(planned.plan?.events, missing)
      assertArithmetic(planned)
      assert.deepEqual(await runsOf(bench), [])
      assert(
        !existsSync(join(bench.folder, 'state', 'runs')) ||
          readdirSync(join(bench.folder, 'state', 'runs')).length === 0,
      )
      const done = await bench.run(backfill(bench, '--verify', '--report', join(bench.folder, 'r.json')))
      assert.equal(done.code, 0, done.stderr)
      const report = done.json<RunReport>()
      assert.deepEqual([report.delivered, report.verified, report.status], [missing, true, 'completed'])
      bench.assertHeldOnce()
      const after = (
        await bench.run(['gaps', '--stream', 'soc', ...bench.window, '-o', 'json'])
      ).json<GapReport>()
      assert.deepEqual([after.missing, after.complete, after.provenUntil], [0, true, after.window.to])
      const second = await bench.run(backfill(bench))
      assert.deepEqual([second.code, second.json<RunReport>().requests], [0, 0])
    }))

  test('is stopped by the fuse in words that name the likely cause; the run disappears', () =>
    withSplunk({ events: 1500 }, async (bench) => {
      const { code, stderr, stdout } = await bench.run(backfill(bench, '--yes'))
      assert.equal(code, 2)
      assert.match(stderr, /none of 1,500 are held: wrong source, index or idField\?/)
      assert.deepEqual([stdout, received(bench), errorsOf(stderr).length], ['', 0, 1])
      assert.deepEqual(await runsOf(bench), [])
      const agreed = await bench.run(backfill(bench, '--max-missing', '100%'))
      assert.equal(agreed.code, 0)
      bench.assertHeldOnce()
    }))

  test('--all wants --yes without a terminal, and --new when it is repeated', () =>
    withSplunk({ events: 300 }, async (bench) => {
      assert.equal((await bench.run(backfill(bench, '--all'))).code, 2)
      assert.equal(received(bench), 0)
      const first = await bench.run(backfill(bench, '--all', '--yes'))
      assert.equal(first.code, 0, first.stderr)
      bench.assertHeldOnce()
      const repeated = await bench.run(backfill(bench, '--all', '--yes'))
      assert.equal(repeated.code, 2)
      assert(repeated.stderr.includes(String(first.json<RunReport>().run)))
      assert.equal(received(bench), 300)
      assert.equal((await bench.run(backfill(bench, '--all', '--yes', '--new'))).code, 0)
      assert.equal(received(bench), 600)
    }))

  const refusals: readonly (readonly [
    name: string,
    stream: JsonObject,
    args: string[],
    code: number,
    said: RegExp,
  ])[] = [
    [
      'a refused token',
      { token: '5ab0feed-0000-4000-8000-00000000beef' },
      ['--all', '--yes'],
      5,
      /403.*Invalid token/,
    ],
    ['an unknown index', { index: 'nowhere' }, ['--all', '--yes'], 2, /Incorrect index/],
    ['no inventory and no --all', { search: undefined } as unknown as JsonObject, [], 2, /--all/],
    [
      '--verify without a search',
      { search: undefined } as unknown as JsonObject,
      ['--all', '--yes', '--verify'],
      2,
      /--verify needs/,
    ],
    ['a source that the stream may not be paired with', { sources: ['other'] }, [], 2, /may not be paired/],
    [
      'a live stream that leaves products out',
      { filters: { products: ['pki'] } },
      [],
      2,
      /carries only events of pki/,
    ],
  ]
  for (const [name, stream, args, code, said] of refusals) {
    test(`sends nothing for ${name}: exit ${code}`, () =>
      withSplunk({ events: 300, stream }, async (bench) => {
        const ended = await bench.run(backfill(bench, ...args))
        assert.equal(ended.code, code, ended.stderr)
        assert.match(ended.stderr, said)
        assert.equal(errorsOf(ended.stderr).length, 1)
        assert.equal(received(bench), 0)
        assert(!ended.stderr.includes('    at '), 'no stack trace')
      }))
  }

  test('an error is one JSON object on stderr with --json', () =>
    withSplunk({ events: 300, stream: { token: '5ab0feed-0000-4000-8000-00000000beef' } }, async (bench) => {
      const { stderr, stdout } = await bench.run(backfill(bench, '--all', '--yes', '--json', '-q'))
      const { error } = JSON.parse(stderr) as {
        error: { code: string; message: string; hint: string; exitCode: number }
      }
      assert.deepEqual([error.code, error.exitCode], ['auth', 5])
      assert.match(error.hint, /HEC token/)
      assert.equal((JSON.parse(stdout) as RunReport).status, 'failed')
    }))

  test('a search that ends early is never read as nothing found: exit 6, and nothing is sent', () =>
    withSplunk(
      { events: 2000, drop: { from: START, to: START + 10_000 }, faults: ['splunk:search-cutx*=5'] },
      async (bench) => {
        const before = received(bench)
        assert(before < bench.ids.length)
        const { code, stderr } = await bench.run(backfill(bench, '--yes', '--max-missing', '100%'))
        assert.equal(code, 6, stderr)
        assert.match(stderr, /could not be shown complete/)
        assert.equal(received(bench), before)
        assert.equal((await bench.run(['gaps', '--stream', 'soc', ...bench.window])).code, 6)
      },
    ))

  test('a second run on the pair exits 75 at once, or waits', () =>
    withSplunk({ events: 600, faults: ['splunk:slowx*=100'] }, async (bench) => {
      const command = backfill(bench, '--all', '--yes', '--max-rate', '100/s')
      const first = bench.start(command)
      while (received(bench) === 0) await sleep(20)
      const second = await bench.run(backfill(bench))
      assert.equal(second.code, 75, second.stderr)
      assert.match(second.stderr, /held by another run: backfill/)
      const third = bench.start(backfill(bench, '--wait'))
      assert.equal((await first.ended).code, 0)
      const waited = await third.ended
      assert.equal(waited.code, 0, waited.stderr)
      assert.equal(waited.json<RunReport>().requests, 0)
      bench.assertHeldOnce()
    }))

  for (const [signal, exit] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} records the state, names the command that goes on, and exits ${exit}`, () =>
      withSplunk({ events: 1200, faults: ['splunk:slowx*=50'] }, async (bench) => {
        const first = bench.start(backfill(bench, '--all', '--yes', '--verify', '--max-rate', '300/s'))
        while (received(bench) === 0) await sleep(20)
        const asked = Date.now()
        first.kill(signal)
        const ended = await first.ended
        assert(Date.now() - asked < 5000, 'it answers within five seconds')
        assert.equal(ended.code, exit, ended.stderr)
        const report = ended.json<RunReport>()
        assertArithmetic(report)
        assert.equal(report.status, 'interrupted')
        assert(report.pending > 0)
        assert(ended.stderr.includes(`auditctl runs resume ${report.run}`), ended.stderr)
        assert.equal(errorsOf(ended.stderr).length, 1)
        const resumed = await bench.run(['runs', 'resume', String(report.run)])
        assert.equal(resumed.code, 0, resumed.stderr)
        assert.deepEqual(
          [resumed.json<RunReport>().delivered, resumed.json<RunReport>().verified],
          [1200, true],
        )
        bench.assertHeldOnce()
      }))
  }

  test('a second SIGINT leaves at once', () =>
    withSplunk({ events: 300, faults: ['splunk:slowx*=20000'] }, async (bench) => {
      const first = bench.start(backfill(bench, '--all', '--yes'))
      while (received(bench) === 0) await sleep(20)
      first.kill('SIGINT')
      await sleep(200)
      const asked = Date.now()
      first.kill('SIGINT')
      assert.equal((await first.ended).code, 130)
      assert(Date.now() - asked < 1500)
      bench.faults.clear()
      const resumed = await bench.run(backfill(bench, '--all', '--yes'))
      assert.equal(resumed.code, 0, resumed.stderr)
      bench.assertHeldOnce()
    }))

  test('--deadline ends it in an orderly way: exit 124', () =>
    withSplunk({ events: 1200 }, async (bench) => {
      const ended = await bench.run(
        backfill(bench, '--all', '--yes', '--max-rate', '200/s', '--deadline', '2s'),
      )
      assert.equal(ended.code, 124, ended.stderr)
      assert.equal(ended.json<RunReport>().status, 'interrupted')
      assert.equal((await bench.run(backfill(bench, '--all', '--yes'))).code, 0)
      bench.assertHeldOnce()
    }))

  test('finishes an unfinished run that overlaps first; stdout carries the report of the asked run only', () =>
    withSplunk({ events: 900 }, async (bench) => {
      const limited = await bench.run(backfill(bench, '--limit', '200'))
      assert.deepEqual([limited.code, limited.json<RunReport>().status], [0, 'partial'])
      assert.equal(received(bench), 200)
      const wider = [
        'backfill',
        '--stream',
        'soc',
        '--from',
        '2026-10-31T00:00:00Z',
        '--to',
        bench.window[3] ?? '',
      ]
      const ended = await bench.run(wider)
      assert.equal(ended.code, 0, ended.stderr)
      const report = ended.json<RunReport>()
      assert.deepEqual([report.alreadyHeld, report.delivered], [900, 0])
      assert.deepEqual(
        (await runsOf(bench)).map(({ status }) => status),
        ['completed', 'completed'],
      )
      bench.assertHeldOnce()
    }))

  test('puts refused events in the dead letters to the byte, and resends them corrected', () =>
    withSplunk({ events: 300 }, async (bench) => {
      const poison = bench.ids[150] ?? ''
      bench.faults.add(`splunk:poison=${poison}`)
      const ended = await bench.run(backfill(bench, '--verify'))
      assert.equal(ended.code, 4, ended.stderr)
      const report = ended.json<RunReport>()
      assert.deepEqual([report.delivered, report.rejected, report.verified], [299, 1, true])
      const rejects = (await bench.run(['runs', 'rejects', String(report.run)])).stdout
      const query = await bench.run(['query', ...bench.window, '--where', `id=${poison}`, '-o', 'jsonl'])
      assert(rejects.startsWith(`{"event":${query.stdout.trim()},"reason":`), rejects)
      assert.equal((await bench.run(['runs', 'resend', String(report.run)])).code, 2)
      const fixed = join(bench.folder, 'fixed.jsonl')
      writeFileSync(fixed, rejects)
      bench.faults.clear()
      const resent = await bench.run(['runs', 'resend', String(report.run), '--file', fixed, '--yes'])
      assert.equal(resent.code, 0, resent.stderr)
      assert.deepEqual([resent.json<RunReport>().mode, resent.json<RunReport>().delivered], ['resend', 1])
      bench.assertHeldOnce()
    }))

  test('restamped events are found by --verify where Splunk dates them by arrival', () =>
    withSplunk({ events: 300, stream: { acceptWindow: { past: '1h' } } }, async (bench) => {
      const ended = await bench.run(backfill(bench, '--late', 'restamp', '--verify'))
      assert.equal(ended.code, 0, ended.stderr)
      const report = ended.json<RunReport>()
      assert.deepEqual([report.delivered, report.verified, report.late], [300, true, 0])
      assert.match(report.warnings.join(), /300 events were sent without their own time/)
      assert.equal((await bench.run(backfill(bench))).json<RunReport>().delivered, 0)
      bench.assertHeldOnce()
    }))

  for (const [what, limit] of [
    ['the spool', 256],
    ['the ledger or the dead letters', 120],
  ] as const) {
    test(`a full disk while ${what} is written is exit 6, and the same command goes on`, () =>
      withSplunk({ events: 3000, stream: { batch: { maxEvents: 5 } } }, async (bench) => {
        const command = backfill(bench, '--all', '--yes')
        const full = await bench.run(command, { fileLimitKiB: limit })
        assert.equal(full.code, 6, full.stderr)
        assert.match(full.stderr, /could not be written/)
        assert(!full.stderr.includes('    at '), 'no stack trace')
        const again = await bench.run(command)
        assert.equal(again.code, 0, again.stderr)
        bench.assertHeldOnce()
      }))
  }

  test('a state folder that cannot be written is exit 2 and named', () =>
    withSplunk({ events: 10 }, async (bench) => {
      const { code, stderr } = await bench.run(backfill(bench), {
        env: { AUDITCTL_STATE_DIR: '/dev/null/state' },
      })
      assert.equal(code, 2)
      assert.match(stderr, /\/dev\/null\/state cannot be written/)
    }))

  for (const moment of ['settling', 'verifying'] as const) {
    test(`killed while ${moment} it is finished by the same command, with every event held once`, () =>
      withSplunk(
        { events: 300, stream: { grace: '3s' }, faults: ['splunk:index-delay=2500'] },
        async (bench) => {
          if (moment === 'settling') bench.faults.add('splunk:reset-after')
          const command = backfill(bench, '--verify')
          const { kill, ended } = bench.start(command)
          while (received(bench) < 300) await sleep(20)
          await sleep(800)
          kill('SIGKILL')
          assert.equal((await ended).signal, 'SIGKILL')
          const again = await bench.run(command)
          assert.equal(again.code, 0, again.stderr)
          const report = again.json<RunReport>()
          assert.deepEqual([report.delivered, report.requests, report.verified], [300, 1, true])
          bench.assertHeldOnce()
        },
      ))
  }

  test('--probe goes on when its batch was found, and stops when it was not', () =>
    withSplunk({ events: 900 }, async (bench) => {
      bench.faults.add('splunk:lose')
      const lost = await bench.run(backfill(bench, '--probe'))
      assert.equal(lost.code, 3, lost.stderr)
      const report = lost.json<RunReport>()
      assert.deepEqual([report.status, report.requests], ['failed', 1])
      assert(report.pending > 0)
      const found = await bench.run(['runs', 'resume', String(report.run)])
      assert.equal(found.code, 0, found.stderr)
    }))
})
