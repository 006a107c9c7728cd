import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { streamCommand } from '../../src/cli/commands/stream.ts'
import type { RunNote } from '../../src/core/destination.ts'
import { NamedEvent } from '../../src/core/event.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import { isoTime } from '../../src/core/time-range.ts'
import { azureGuide } from '../../src/destinations/azure/guide.ts'
import { azure } from '../../src/destinations/azure/index.ts'
import { azureOptions } from '../../src/destinations/azure/options.ts'
import { SAMPLES } from '../../src/destinations/azure/samples.ts'
import { createHttpClient } from '../../src/http/client.ts'
import type { AzureSandbox } from '../../src/sandbox/azure/index.ts'
import { EXTENDED_COLUMNS } from '../../src/sandbox/azure/table.ts'
import { SOURCES } from '../../src/sources/registry.ts'
import { samples, type Trial, withTrialOf } from '../support/trial.ts'
import { fakeRuntime, invocation } from './cli/fake-runtime.ts'
import { tempFolder } from './config/temp-folder.ts'

const signal = new AbortController().signal

const withTrial = withTrialOf<AzureSandbox>('azure')

describe('the azure guide', () => {
  for (const [type, load] of Object.entries(SOURCES)) {
    if (type === 'file') continue
    test(`holds a table sample with every field of ${type}`, async () => {
      const { shape } = await load()
      const [text = ''] = /\[\{"TimeGenerated"[\s\S]*?\}\]/.exec(azureGuide(type)) ?? []
      const [row] = JSON.parse(text) as [Record<string, unknown>]
      for (const column of shape.streamColumns ?? shape.columns) {
        const [field = ''] = column.split('.')
        // As Infisical's own guide leaves them out, so that live rows have none either.
        if (type === 'infisical' && /^(?:expiresAt|updatedAt)$/.test(field)) continue
        assert.ok(field in row, field)
      }
      assert.match(
        azureGuide(type),
        type === 'infisical' ? /"timeColumn": "createdAt"/ : /"timeColumn": "EventTime"/,
      )
    })
  }

  test('is asked for by the type of a source, or by the name of one', async (t) => {
    const path = join(tempFolder(t), 'config.json')
    const sources = { audit: { type: 'circleci', bucket: { url: 's3://b/p' } } }
    writeFileSync(path, JSON.stringify({ version: 1, sources }), { mode: 0o600 })
    for (const [source, type] of [
      ['scaivault', 'scaivault'],
      ['audit', 'circleci'],
      [undefined, 'infisical'],
    ] as const) {
      const { runtime, stdout } = fakeRuntime({ env: { AUDITCTL_CONFIG: path } })
      await streamCommand(invocation('stream guide', ['azure'], { source }), runtime)
      assert.equal(stdout(), azureGuide(type))
    }
  })

  test('is the one of Infisical where nothing or a type without a table of its own is asked for', () => {
    assert.equal(azure.guide(), azureGuide('infisical'))
    assert.equal(azureGuide('file'), azureGuide('infisical'))
    assert.notEqual(azureGuide('scaivault'), azureGuide('infisical'))
    assert.doesNotMatch(azureGuide('scaivault'), /InfisicalLogs/)
  })
})

describe('columns that a table lacks', () => {
  const warned = async (trial: Trial, settings: object, sourceTypes: readonly string[]) =>
    (await trial.destination({ ...trial.settings, ...settings }).test({ send: false, signal, sourceTypes }))
      .filter(({ check }) => check.startsWith('columns'))
      .map(({ check, state, message, hint }) => ({ check, state, message, hint: hint ?? '' }))

  test('are named by test() for each type of source that the stream is for', () =>
    withTrial(async (trial, sandbox) => {
      const [only, ...more] = await warned(trial, {}, ['infisical', 'scaivault'])
      assert.deepEqual(more, [])
      assert.deepEqual([only?.check, only?.state], ['columns for scaivault', 'warning'])
      assert.match(
        only?.message ?? '',
        /^InfisicalLogs_CL has no column for timestamp, action, identity_type, .*204/,
      )
      assert.doesNotMatch(only?.message ?? '', /\bid,|actor/)
      assert.match(only?.hint ?? '', /stream guide azure --source scaivault/)
      const { sample } = SAMPLES['scaivault'] ?? assert.fail()
      const columns = Object.fromEntries(Object.keys(sample).map((name) => [name, 'dynamic' as const]))
      sandbox.settings.columns = { ...EXTENDED_COLUMNS, ...columns }
      assert.deepEqual(await warned(trial, {}, ['infisical', 'scaivault']), [])
    }))

  test('are named by stream test for the sources that the stream may be paired with', (t) =>
    withTrial(async (trial) => {
      const path = join(tempFolder(t), 'config.json')
      const sources = { vault: { type: 'scaivault', url: 'https://v.example' }, ci: { type: 'circleci' } }
      const http = createHttpClient({ clock: trial.clock, log: SILENT, env: {}, version: 'test' })
      for (const [allowed, expected] of [
        [undefined, ['columns for scaivault', 'columns for circleci']],
        [['ci'], ['columns for circleci']],
      ] as const) {
        const streams = { sentinel: { ...trial.settings, sources: allowed } }
        writeFileSync(path, JSON.stringify({ version: 1, sources, streams }), { mode: 0o600 })
        const { runtime, stdout } = fakeRuntime({ env: { AUDITCTL_CONFIG: path } })
        const wired = { ...runtime, clock: trial.clock, http: async () => http }
        await streamCommand(invocation('stream test', ['sentinel']), wired)
        const checks = JSON.parse(stdout()) as { check: string }[]
        assert.deepEqual(
          checks.map(({ check }) => check).filter((check) => check.startsWith('columns for')),
          expected,
        )
      }
      await http.close()
    }))

  /** Batches of one run, and what was said on the way. */
  async function run(
    trial: Trial,
    settings: object,
    type: string,
    batches: readonly object[][],
  ): Promise<string[]> {
    const said: string[] = []
    const log = { ...SILENT, warn: (message: string) => void said.push(message) }
    const http = createHttpClient({ clock: trial.clock, log, env: {}, version: 'test', timeoutMs: 30_000 })
    const options = azureOptions.parse({ ...trial.settings, ...settings })
    bindSecrets(options, (reference) => reference)
    const destination = azure.create('sentinel', options, { http, clock: trial.clock, log, baseDir: '.' })
    destination.begins?.({ run: 'r', source: { name: 'audit', type } } as RunNote)
    const at = trial.clock.now()
    for (const [i, batch] of batches.entries()) {
      const encoded = batch.map((event) => {
        const bytes = Buffer.from(JSON.stringify(event))
        const named = new NamedEvent(READER, bytes, { id: 'x', occurredAt: isoTime(at), occurredAtMs: at })
        return destination.encode(bytes, named, { restamp: false })
      })
      const receipt = await destination.deliver({ encoded, ids: batch.map(() => 'x'), run: 'r' }, { signal })
      assert.ok(receipt.accepted !== undefined, `batch ${i}`)
    }
    await http.close()
    return said
  }

  test('are named once by a run, from the fields of its own events', () =>
    withTrial(async (trial) => {
      const event = { id: '1', action: 'read', actor: 'a', secret_path: 'b' }
      const said = await run(trial, {}, 'scaivault', [[event, { id: '2', extra: 1 }], [event]])
      assert.equal(said.length, 1)
      assert.match(
        said[0] ?? '',
        /^stream sentinel: InfisicalLogs_CL has no column for action, secret_path, extra: Azure drops them .* guide azure --source scaivault/,
      )
    }))

  test('are not named where the live stream loses them as well, nor where the table cannot be read', () =>
    withTrial(async (trial) => {
      const live = samples(2).map(({ streamed }) => JSON.parse(Buffer.from(streamed).toString()) as object)
      assert.deepEqual(await run(trial, {}, 'infisical', [live]), [])
      assert.deepEqual(
        await run(trial, { workspaceId: undefined }, 'scaivault', [[{ id: '1', action: 'x' }]]),
        [],
      )
      trial.faults.add('azure:query-forbiddenx*')
      assert.deepEqual(await run(trial, {}, 'scaivault', [[{ id: '1', action: 'x' }]]), [])
    }))
})

const READER = { type: 'x', actor: () => undefined, action: () => 'x', target: () => undefined }
