import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sandboxCommand } from '../../../src/cli/commands/sandbox.ts'
import type { Runtime } from '../../../src/cli/runtime.ts'
import { UserError } from '../../../src/core/errors.ts'
import { faultPlan } from '../../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../../src/sandbox/registry.ts'
import { startSandbox } from '../../../src/sandbox/start.ts'
import { RECORDED_NOW } from './infisical-support.ts'

const OPTIONS = { seed: 1, generation: '2026', recent: false, now: () => RECORDED_NOW } as const
const DROP = { from: Date.parse('2026-11-20T12:41:00.000Z'), to: Date.parse('2026-11-20T12:43:00.000Z') }

test('a receiver holds every event of the source in the streamed shape, except those of the outage', async () => {
  const sandbox = await startSandbox({ ...OPTIONS, drop: DROP, faults: faultPlan(), services: ['splunk'] })
  try {
    const native = [...(sandbox.services['infisical']?.events?.() ?? [])]
    const lost = native.filter((event) => {
      const time = Date.parse(String(event['createdAt']))
      return time >= DROP.from && time < DROP.to
    })
    assert.ok(lost.length > 500, `${lost.length} lost`)
    const held = sandbox.services['splunk']?.rows?.() ?? []
    assert.equal(held.length, native.length - lost.length)
    const text = JSON.stringify(held)
    assert.ok(native.every((event) => text.includes(String(event['id'])) === !lost.includes(event)))
  } finally {
    await sandbox.close()
  }
})

test('a port that is taken is a usage error that names it', async () => {
  const first = await startSandbox({ ...OPTIONS, events: 10, faults: faultPlan(), services: [] })
  try {
    const port = Number(new URL(first.urls['infisical'] ?? '').port)
    await assert.rejects(
      startSandbox({ ...OPTIONS, events: 10, faults: faultPlan(), services: [], port }),
      (error: UserError) => {
        assert.ok(error instanceof UserError, String(error))
        assert.match(error.message, new RegExp(`port ${port} `))
        assert.match(error.hint ?? '', /--port/)
        return true
      },
    )
  } finally {
    await first.close()
  }
})

test('the sandbox prints a whole configuration and where everything is', async () => {
  const sandbox = await startSandbox({ ...OPTIONS, events: 10, faults: faultPlan(), services: ['splunk'] })
  try {
    assert.deepEqual(Object.keys(sandbox.urls).sort(), ['admin', 'infisical', 'splunk', 'splunkSearch'])
    assert.equal(sandbox.urls['admin'], `${sandbox.urls['infisical']}/__emulator`)
    const { version, defaultSource, sources, streams } = sandbox.config as Record<
      string,
      Record<string, unknown>
    >
    assert.equal(version, 1)
    assert.ok(String(defaultSource) in (sources ?? {}))
    assert.equal(Object.keys(streams ?? {}).length, 1)
  } finally {
    await sandbox.close()
  }
})

test('a service without a sandbox is refused, and nothing stays open', async () => {
  const refused = startSandbox({ ...OPTIONS, faults: faultPlan(), services: ['nagios'] })
  await assert.rejects(refused, (error) => error instanceof UserError && /nagios/.test(error.message))
})

test('receivers stay empty when they would have to hold too much, and that is said', async () => {
  const { runtime, warnings } = stage(false)
  await sandboxCommand({ path: ['sandbox'], args: [], options: { events: '3_000_000' } }, runtime)
  assert.deepEqual(
    warnings.map((warning) => /receivers start empty/.test(warning)),
    [true],
  )
})

/** What the command needs of a runtime, and what it wrote. */
function stage(stdoutIsTerminal: boolean) {
  const stop = new AbortController()
  const written: string[] = []
  const warnings: string[] = []
  const runtime = {
    clock: { now: () => RECORDED_NOW },
    io: { stdoutIsTerminal },
    output: {
      write: async (chunk: string) => {
        written.push(chunk)
      },
      // The line is out: the reader has what it wants.
      flush: async () => stop.abort(),
    },
    signal: stop.signal,
    log: { warn: (text: string) => warnings.push(text) },
  }
  return { written, warnings, runtime: runtime as unknown as Runtime }
}

test('sandbox prints one line of JSON to a pipe, and ends well when it is told to stop', async () => {
  const { written, runtime } = stage(false)
  const options = { events: '20', drop: '50m/45m', fault: ['infisical:slow=1'] }
  assert.equal(await sandboxCommand({ path: ['sandbox'], args: [], options }, runtime), 0)
  assert.match(written.join(''), /^\{"config":\{.*\},"urls":\{.*\}\}\n$/)
})

test('sandbox tells a person what runs where and what to save', async () => {
  const { written, runtime } = stage(true)
  await sandboxCommand({ path: ['sandbox'], args: [], options: { events: '20' } }, runtime)
  assert.match(written.join(''), /infisical +http:\/\/127\.0\.0\.1:\d+\n/)
  assert.match(written.join(''), /"defaultSource": "infisical"/)
})

type Config = Readonly<Record<string, { readonly provider: string }>>

test('sandbox serves what --with names, or all there is, once each', async () => {
  for (const [names, expected] of [
    ['scaivault, infrakitchen,circleci', ['infisical', 'splunk', 'scaivault', 'infrakitchen', 'circleci']],
    ['all', Object.keys(SANDBOXES)],
  ] as const) {
    const { written, runtime } = stage(false)
    const options = { events: '20', with: names, fault: ['scaivault:slow=1'] }
    await sandboxCommand({ path: ['sandbox'], args: [], options }, runtime)
    const { config, urls } = JSON.parse(written.join(''))
    assert.ok(new Set(Object.values(urls).map((url) => new URL(String(url)).port)).size >= expected.length)
    assert.deepEqual(Object.keys(config.sources), ['infisical', 'scaivault', 'infrakitchen', 'ci'])
    const providers = new Set(Object.values(config.streams as Config).map(({ provider }) => provider))
    for (const provider of ['s3', 'gcs', 'azure-blob', 'xsiam', 'custom'])
      assert.equal(providers.has(provider), names === 'all', provider)
  }
})

for (const [options, complaint] of [
  [{ with: 'scaivalt' }, /--with names "scaivalt"/],
  [{ events: 'many' }, /--events "many"/],
  [{ drop: '45m/50m' }, /is not FROM\/TO/],
  [{ drop: 'lunch/50m' }, /"lunch" is not a time/],
  [{ fault: ['nagios:down'] }, /nagios/],
  [{ fault: ['splunk'] }, /is not a fault/],
] as const) {
  test(`sandbox refuses ${JSON.stringify(options)}`, async () => {
    const { runtime } = stage(false)
    const run = sandboxCommand({ path: ['sandbox'], args: [], options }, runtime)
    await assert.rejects(run, (error) => error instanceof UserError && complaint.test(error.message))
  })
}
