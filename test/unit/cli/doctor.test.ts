import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { doctorCommand } from '../../../src/cli/commands/doctor.ts'
import { CANARY_ACTION } from '../../../src/cli/doctor/canary.ts'
import type { Check } from '../../../src/core/check.ts'
import { Ledger } from '../../../src/state/ledger.ts'
import { type SandboxBench, sandboxBench } from './sandbox-bench.ts'

type Config = {
  readonly sources: Record<string, Record<string, unknown>>
  readonly streams: Record<string, Record<string, unknown>>
}

async function doctor(
  bench: SandboxBench,
  options: Record<string, unknown> = {},
  env: Record<string, string> = {},
) {
  const { exitCode, stdout, log } = await bench.run(
    doctorCommand,
    'doctor',
    [],
    { json: true, ...options },
    { env },
  )
  const checks = JSON.parse(stdout) as (Check & { readonly hint: string | null })[]
  const find = (name: string) => checks.find(({ check }) => check === name)
  return {
    exitCode,
    checks,
    find,
    failures: checks.filter(({ state }) => state === 'failure'),
    shown: stdout + log,
  }
}

/** The sandbox's configuration, changed. */
function changed(bench: SandboxBench, change: (config: Config) => void): void {
  const config = structuredClone(bench.sandbox.config) as Config
  change(config)
  bench.write(config)
}

async function ready(t: TestContext) {
  const bench = await sandboxBench(t)
  mkdirSync(bench.stateDir, { mode: 0o700 })
  return bench
}

test('doctor finds nothing wrong with a sound set-up, and shows no secret', async (t) => {
  const bench = await ready(t)
  const { exitCode, checks, failures, find, shown } = await doctor(bench)
  assert.deepEqual([exitCode, failures], [0, []])
  for (const [name, message] of [
    ['configuration', /is valid; 1 source, 1 stream/],
    ['configuration file: mode', /only its owner can read it \(600\)/],
    ['state folder', /state$/],
    ['source infisical: secrets', /auth\.clientId \(literal\), auth\.clientSecret \(literal\)/],
    ['source infisical: log-in', /credentials ready/],
    ['source infisical: permission', /may read/],
    ['source infisical: generation', /2026 or later/],
    ['source infisical: keeps a log', /its newest event is of 20/],
    ['source infisical: our own events', /of the newest 1,000 events/],
    ['stream soc: HEC token', /accepted/],
    ['stream soc: Splunk search', /found in index audit/],
    ['stream soc: accept window with infisical', /judged after 20m/],
    ['stream soc: proven with infisical', /no run has compared/],
    ['Infisical: clock', /s apart from ours/],
    ['Infisical: token', /each run logs in anew/],
  ] as const) {
    assert.equal(find(name)?.state, 'ok', name)
    assert.match(find(name)?.message ?? '', message)
  }
  assert.ok(checks.every((line) => 'hint' in line && Object.keys(line).length === 4))
  assert.doesNotMatch(shown, /sandbox-reader-secret|5ab0feed|sandbox-search-token/)
})

test('doctor calls it a failure when the server keeps no audit log, after looking again', async (t) => {
  const bench = await ready(t)
  bench.faults.add('infisical:storage-disabled')
  const { exitCode, find } = await doctor(bench)
  assert.equal(exitCode, 3)
  const kept = find('source infisical: keeps a log')
  assert.equal(kept?.state, 'failure')
  assert.match(kept?.message ?? '', /no event of the last 30 days.*lost for good/)
  assert.deepEqual(bench.clock.slept, [6000, 6000])
})

test('doctor ends with 3 and goes on with the rest when credentials are refused or a secret is missing', async (t) => {
  const bench = await ready(t)
  changed(bench, ({ sources, streams }) => {
    sources['infisical'] = {
      ...sources['infisical'],
      auth: { method: 'universal-auth', clientId: 'nobody', clientSecret: 'hunter2-secret' },
    }
    streams['soc'] = { ...streams['soc'], token: 'env:HEC_TOKEN' }
    streams['other'] = { ...(bench.sandbox.config['streams'] as Config['streams'])['soc'] }
  })
  const { exitCode, find, shown } = await doctor(bench)
  assert.equal(exitCode, 3)
  assert.equal(find('source infisical: log-in')?.state, 'failure')
  assert.match(find('stream soc: secret token')?.message ?? '', /HEC_TOKEN is not set/)
  assert.equal(find('stream soc: HEC token'), undefined)
  assert.equal(find('stream other: HEC token')?.state, 'ok')
  assert.doesNotMatch(shown, /hunter2/)
  const { find: found } = await doctor(bench, {}, { HEC_TOKEN: '5ab0feed-0000-4000-8000-5a4db0c0ffee' })
  assert.match(found('stream soc: secrets')?.message ?? '', /token \(env:HEC_TOKEN\)/)
})

test('doctor names unknown keys, broken JSON, and a file that others can read', async (t) => {
  const bench = await ready(t)
  changed(bench, ({ streams }) => {
    streams['soc'] = { ...streams['soc'], tokn: 'x' }
  })
  chmodSync(bench.path, 0o644)
  const wrong = await doctor(bench)
  assert.equal(wrong.exitCode, 3)
  assert.match(
    wrong.find('configuration')?.message ?? '',
    /streams\.soc\.tokn: unknown key; did you mean token\?/,
  )
  assert.equal(wrong.find('configuration file: mode')?.state, 'failure')
  assert.match(wrong.find('configuration file: mode')?.hint ?? '', /chmod 600/)
  assert.equal(wrong.find('source infisical: log-in')?.state, 'ok')

  writeFileSync(bench.path, '{ "version": 1, }')
  const broken = await doctor(bench)
  assert.equal(broken.exitCode, 3)
  assert.match(broken.find('configuration')?.message ?? '', /config\.json:1:17: not valid JSON/)
  assert.equal(broken.find('state folder')?.state, 'ok')
  await assert.rejects(doctor(bench, { canary: 'nope' }, { AUDITCTL_CONFIG: '/nonexistent/c.json' }), {
    name: 'UserError',
    message: /no stream named "nope"/,
  })
})

test('doctor tells of a stream that cannot be reached, and of one that cannot be searched', async (t) => {
  const bench = await ready(t)
  changed(bench, ({ streams }) => {
    const { search: _, ...blind } = streams['soc'] ?? {}
    streams['soc'] = { ...blind, url: 'http://127.0.0.1:1' }
    streams['blind'] = blind
  })
  const { exitCode, find } = await doctor(bench)
  assert.equal(exitCode, 3)
  assert.equal(find('stream soc: HEC is reachable')?.state, 'failure')
  assert.equal(find('stream blind: search')?.state, 'warning')
  assert.equal(find('stream blind: HEC token')?.state, 'ok')
})

test('doctor judges the accept window by what the ledger has proven', async (t) => {
  const bench = await ready(t)
  const ledger = await Ledger.open(bench.stateDir, bench.clock)
  const from = Date.now() - 40 * 86_400_000
  ledger.proven.add('infisical', 'soc', { from, to: from + 86_400_000 })
  ledger.close()
  const stream = (change: object) => {
    changed(bench, ({ streams, sources }) => {
      streams['soc'] = { ...streams['soc'], ...change }
      sources['infisical'] = { ...sources['infisical'], retentionDays: 365 }
    })
  }
  stream({ acceptWindow: { past: '10m' } })
  const short = await doctor(bench)
  assert.equal(short.exitCode, 3)
  assert.match(
    short.find('stream soc: accept window with infisical')?.message ?? '',
    /10m only, and judged after 20m/,
  )
  stream({ acceptWindow: { past: '18h' } })
  const long = await doctor(bench)
  assert.match(
    long.find('stream soc: accept window with infisical')?.message ?? '',
    /must run within 17h 40m; later ones: skip/,
  )
  assert.equal(long.find('stream soc: proven with infisical')?.state, 'warning')
  assert.equal(long.exitCode, 0)
  changed(bench, ({ sources }) => {
    sources['infisical'] = { ...sources['infisical'], retentionDays: 30 }
  })
  const gone = await doctor(bench)
  assert.match(
    gone.find('stream soc: proven with infisical')?.message ?? '',
    /longer than the source keeps events/,
  )
  assert.equal(gone.exitCode, 3)
})

test('doctor sends a canary only when it is agreed to, finds it, and times both', async (t) => {
  const bench = await ready(t)
  const splunk = bench.sandbox.services['splunk']
  const before = splunk?.receivedIds?.().length ?? 0
  await doctor(bench)
  await assert.rejects(doctor(bench, { canary: 'soc' }), {
    name: 'UserError',
    message: /sends one to three test events to soc/,
    hint: /--yes/,
  })
  const refused = bench.run(doctorCommand, 'doctor', [], { canary: 'soc' }, { keys: ['n\n'] })
  await assert.rejects(refused, /nothing was sent/)
  assert.equal(splunk?.receivedIds?.().length, before)

  const { exitCode, find } = await doctor(bench, { canary: 'soc', yes: true })
  assert.equal(exitCode, 0)
  assert.equal(splunk?.receivedIds?.().length, before + 1)
  const id = splunk?.receivedIds?.().at(-1) ?? ''
  assert.match(
    find('stream soc: canary is accepted')?.message ?? '',
    new RegExp(`${id} was accepted in \\d+ ms`),
  )
  assert.match(find('stream soc: canary is found')?.message ?? '', /found by its id \d+\.\d s after/)
  assert.match(JSON.stringify(splunk?.rows?.().at(-1)), new RegExp(CANARY_ACTION))
})

test('doctor calls a canary lost that the search does not find within the grace', async (t) => {
  const bench = await ready(t)
  bench.faults.add('splunk:index-delay=3600000')
  const { exitCode, find } = await doctor(bench, { canary: 'soc', yes: true })
  assert.equal(exitCode, 3)
  assert.equal(find('stream soc: canary is accepted')?.state, 'ok')
  assert.equal(find('stream soc: canary is found')?.state, 'failure')
  assert.match(find('stream soc: canary is found')?.message ?? '', /not found within 1m/)
  assert.equal(
    bench.clock.slept.reduce((sum, ms) => sum + ms, 0),
    60_000,
  )
})
