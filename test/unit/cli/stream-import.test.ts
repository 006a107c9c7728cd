import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamCommand } from '../../../src/cli/commands/stream.ts'
import {
  isMasked,
  type LiveStream,
  mapLiveStream,
  variableFor,
} from '../../../src/cli/live-stream-settings.ts'
import { DESTINATIONS } from '../../../src/destinations/registry.ts'
import { sandboxBench } from './sandbox-bench.ts'

const SPLUNK = { provider: 'splunk', url: 'https://hec.acme.example:8088', sources: ['infisical'] }
const CUSTOM = {
  provider: 'custom',
  url: 'https://siem.acme.example/in',
  mode: 'batch',
  filters: { products: ['secret-manager', 'organization'] },
  sources: ['infisical'],
}

test('import without a terminal writes every stream, its mode and filters, with variables for what is masked', async (t) => {
  const bench = await sandboxBench(t)
  const { exitCode, stdout, log } = await bench.run(streamCommand, 'stream import')
  assert.deepEqual([exitCode, stdout], [0, ''])
  const { soc, ...imported } = bench.written().streams
  assert.ok(soc)
  assert.deepEqual(imported, {
    splunk: { ...SPLUNK, token: 'env:SPLUNK_TOKEN' },
    datadog: {
      provider: 'datadog',
      site: 'datadoghq.eu',
      sources: ['infisical'],
      apiKey: 'env:DATADOG_API_KEY',
    },
    custom: { ...CUSTOM, headers: { Authorization: 'env:CUSTOM_AUTHORIZATION' } },
  })
  assert.match(log, /warning: splunk: the product masks its secrets; set SPLUNK_TOKEN/)
  assert.match(log, /warning: custom: .*set CUSTOM_AUTHORIZATION/)
  await assert.rejects(bench.run(streamCommand, 'stream import'), {
    name: 'UserError',
    exitCode: 2,
    message: /splunk and datadog and custom already; nothing was written/,
  })
})

test('import takes some of them, under other names, with settings and secrets as they are given', async (t) => {
  const bench = await sandboxBench(t)
  const set = ['token=env:T', 'index=audit']
  const first = await bench.run(streamCommand, 'stream import', ['hec=splunk'], { set })
  assert.doesNotMatch(first.log, /masks its secrets/)
  assert.deepEqual(bench.written().streams['hec'], { ...SPLUNK, token: 'env:T', index: 'audit' })
  await bench.run(
    streamCommand,
    'stream import',
    ['a=splunk', 'b=custom'],
    { secretStdin: ['a.token', 'b.headers.Authorization'], set: ['a.host=vault.acme.example'] },
    { stdin: 'one-secret\nBearer two-secret\n' },
  )
  const { a, b } = bench.written().streams
  assert.deepEqual(a, { ...SPLUNK, host: 'vault.acme.example', token: 'one-secret' })
  assert.deepEqual(b, { ...CUSTOM, headers: { Authorization: 'Bearer two-secret' } })
})

test('import asks a person for what is masked, without echo, and takes no mask for an answer', async (t) => {
  const bench = await sandboxBench(t)
  const keys = ['******\n', '\n', 'hunter2-secret\n']
  const { stderr, log } = await bench.run(streamCommand, 'stream import', ['splunk'], {}, { keys })
  assert.equal(bench.written().streams['splunk']?.['token'], 'hunter2-secret')
  assert.match(stderr, /splunk\.token \(not shown\): [\s\S]*the real value, or a reference like env:NAME/)
  assert.doesNotMatch(stderr + log, /hunter2/)
})

test('import refuses the mask, literal secrets, foreign fields and unknown streams, and writes nothing', async (t) => {
  const bench = await sandboxBench(t)
  for (const [args, options, stdin, message] of [
    [
      ['splunk'],
      { secretStdin: ['token'] },
      '******',
      /the product's mask, not a value; nothing was written/,
    ],
    [['splunk'], { set: ['token=hunter2'] }, '', /is a secret, and a secret is not taken as an argument/],
    [['splunk'], { secretStdin: ['index'] }, 'x', /index: this is not a secret of the stream/],
    [[], { set: ['token=env:T'] }, '', /--set token: of which stream\?/],
    [['splunkk'], {}, '', /no stream "splunkk"/],
    [['a b=splunk'], {}, '', /is not a name for a stream/],
    [['x=splunk', 'x=custom'], {}, '', /the name x is given twice/],
    [['soc=splunk'], {}, '', /has a stream named soc already/],
    [['splunk'], { set: ['indexx=a'] }, '', /streams\.splunk\.indexx: unknown key; did you mean index\?/],
  ] as const) {
    await assert.rejects(bench.run(streamCommand, 'stream import', args, options, { stdin }), {
      name: 'UserError',
      message,
    })
  }
  assert.deepEqual(Object.keys(bench.written().streams), ['soc'])
})

test('import reads an older release: one address, an event at a time, its headers in full', async (t) => {
  const bench = await sandboxBench(t, { generation: '2025' })
  const { log } = await bench.run(streamCommand, 'stream import', ['hook'])
  assert.deepEqual(bench.written().streams['hook'], {
    provider: 'custom',
    url: 'http://127.0.0.1:5151/ok?src=infisical',
    headers: { 'X-Lab-Auth': 'throwaway', Authorization: 'Bearer throwaway' },
    mode: 'single',
    sources: ['infisical'],
  })
  assert.match(log, /written as they are/)
  assert.doesNotMatch(log, /Bearer throwaway/)
})

test('import needs Infisical, and a permission of its own', async (t) => {
  const bench = await sandboxBench(t)
  const config = structuredClone(bench.sandbox.config) as { sources: Record<string, Record<string, unknown>> }
  config.sources['infisical'] = {
    ...config.sources['infisical'],
    auth: { method: 'token', token: 'nonsense' },
  }
  config.sources['old'] = { type: 'file', path: 'x.jsonl', of: 'infisical' }
  bench.write(config)
  await assert.rejects(bench.run(streamCommand, 'stream import'), { exitCode: 5 })
  await assert.rejects(bench.run(streamCommand, 'stream import', [], { source: 'old' }), {
    exitCode: 2,
    message: /reads the streams of Infisical, and old is/,
  })
})

test('every provider that the product has is mapped to settings that its schema takes', async () => {
  const live = (
    provider: string,
    credentials: LiveStream['credentials'],
    streamMode = 'batch',
  ): LiveStream => ({
    id: 'x',
    provider,
    credentials,
    streamMode,
    products: ['pam'],
    showsSecrets: false,
  })
  for (const [stream, expected, secrets] of [
    [
      live('azure', {
        tenantId: 't',
        clientId: 'c',
        dceUrl: 'https://x.ingest.monitor.azure.com/',
        dcrId: 'dcr-0123',
        cltName: 'InfisicalLogs',
      }),
      {
        tenantId: 't',
        clientId: 'c',
        endpoint: 'https://x.ingest.monitor.azure.com',
        ruleId: 'dcr-0123',
        table: 'InfisicalLogs',
      },
      [['clientSecret']],
    ],
    [
      live('cribl', { url: 'https://c.example/_bulk' }, 'single'),
      { url: 'https://c.example/_bulk', mode: 'single' },
      [['token']],
    ],
    [live('splunk', { hostname: 'h.example' }), { url: 'https://h.example:8088' }, [['token']]],
    [
      live('datadog', { url: 'https://logs.acme.example/api/v2/logs' }),
      { intakeUrl: 'https://logs.acme.example' },
      [['apiKey']],
    ],
    [live('sumo-logic', { url: 'https://s.example/r/code' }), { url: 'https://s.example/r/code' }, []],
    [live('sumo-logic', { url: '******', token: '******' }), {}, [['url'], ['token']]],
    [
      live('custom', { url: 'https://x.example', headers: [{ key: 'A', value: '******' }] }),
      { url: 'https://x.example', mode: 'batch' },
      [['headers', 'A']],
    ],
  ] as const) {
    const mapped = mapLiveStream(stream as LiveStream)
    assert.deepEqual(mapped?.entry, {
      provider: stream.provider,
      ...expected,
      filters: { products: ['pam'] },
    })
    assert.deepEqual(mapped.secrets, secrets)
    const schema = (await DESTINATIONS[stream.provider]?.())?.options
    const hidden = secrets.map(([key = '', inner]) => [
      key,
      inner === undefined ? 'env:X' : { [inner]: 'env:X' },
    ])
    const whole = { ...mapped.entry, ...Object.fromEntries(hidden) }
    assert.deepEqual(schema?.safeParse(whole).error?.issues, undefined)
  }
  assert.equal(mapLiveStream(live('carrier-pigeon', {})), undefined)
  assert.ok(['******', '*', 'Bearer ******', '[REDACTED]', '<redacted>'].every(isMasked))
  assert.ok(!['', 'env:X', 'redacted-team-key'].some(isMasked))
  assert.equal(variableFor('2-soc', ['search', 'token']), '_2_SOC_SEARCH_TOKEN')
})
