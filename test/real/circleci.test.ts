import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { NO_FILTER } from '../../src/core/filter.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import { circleci } from '../../src/sources/circleci/index.ts'
import { fakeClock } from '../support/fake-clock.ts'

const END = Date.UTC(2026, 10, 20, 12)
const signal = AbortSignal.timeout(240_000)

async function started(events: number, ...faults: string[]) {
  const start = await SANDBOXES['circleci']?.()
  if (start === undefined) throw new Error('CircleCI has no sandbox')
  const plan = faultPlan(faults)
  const server = await start({
    events,
    seed: 7,
    generation: '2026',
    recent: false,
    faults: plan,
    now: Date.now,
  })
  return { server, plan }
}

function sourceOf(settings: Readonly<Record<string, unknown>>) {
  const clock = fakeClock(END)
  const options = circleci.options.parse(settings)
  bindSecrets(options, (reference) => reference)
  const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
  return circleci.create('ci', options, {
    http,
    clock,
    log: SILENT,
    scratch: () => Promise.reject(new Error('nothing is spooled')),
    stdin: (async function* (): AsyncGenerator<Uint8Array> {})(),
    baseDir: '.',
    shape: () => Promise.reject(new Error('no other shape')),
    strict: true,
  })
}

async function idsOf(source: ReturnType<typeof sourceOf>, hours: number): Promise<string[]> {
  const window = { from: END - hours * 3_600_000, to: END + 3_600_000 }
  const open = await source.open(window, NO_FILTER, { order: 'asc', concurrency: 4, signal })
  const ids = new Set<string>()
  for await (const slice of open.slices()) {
    for await (const page of open.read(slice, signal)) for (const { id } of page) ids.add(id)
  }
  assert.deepEqual(open.warnings(), [])
  await open.close()
  return [...ids]
}

describe('the CircleCI source through the AWS SDK', () => {
  for (const fault of [
    [],
    ['circleci:unpadded'],
    ['circleci:gzip'],
    ['circleci:slow-down@3', 'circleci:cut-body@9x2'],
  ]) {
    test(`reads ${fault.length > 0 ? `20,000 events exactly, ${fault}` : '200,000 events exactly'}`, async () => {
      const { server } = await started(fault.length > 0 ? 20_000 : 200_000, ...fault)
      const source = sourceOf(server.config.sources?.['ci'] ?? {})
      try {
        const ids = await idsOf(source, 25)
        const truth = [...(server.events?.() ?? [])].map((event) => String(event['id']))
        assert.equal(ids.length, truth.length)
        assert.deepEqual(ids.toSorted(), truth.toSorted())
        assert.deepEqual(server.violations, [])
        const checks = await source.test(signal)
        assert.deepEqual(
          checks.map(({ state }) => state),
          ['ok', 'ok'],
        )
      } finally {
        await source.close()
        await server.close()
      }
    })
  }

  test('asks a store that is far away for many objects at once', async () => {
    const { server } = await started(2000, 'circleci:small-files')
    // A store that is far away: every answer comes 50 ms later.
    let requests = 0
    let inFlight = 0
    let busiest = 0
    const far = createServer((request, response) => {
      requests += 1
      inFlight += 1
      busiest = Math.max(busiest, inFlight)
      response.once('close', () => {
        inFlight -= 1
      })
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () =>
        setTimeout(async () => {
          const headers = Object.fromEntries(
            Object.entries(request.headers).filter(([name]) => name !== 'connection'),
          )
          const { hostname, port } = new URL(String(server.urls['circleci']))
          const { request: ask } = await import('node:http')
          ask({ hostname, port, path: request.url, method: request.method, headers }, (reply) => {
            response.writeHead(reply.statusCode ?? 500, reply.headers)
            reply.pipe(response)
          }).end(Buffer.concat(parts))
        }, 50),
      )
    })
    await new Promise<void>((resolve) => far.listen(0, '127.0.0.1', resolve))
    const address = far.address()
    const port = typeof address === 'object' ? address?.port : 0
    const source = sourceOf({ ...server.config.sources?.['ci'], endpoint: `http://127.0.0.1:${port}` })
    try {
      assert.equal((await idsOf(source, 25)).length, 2000)
      assert.ok(requests > 500 && busiest >= 16, `${requests} requests, ${busiest} at once`)
    } finally {
      await source.close()
      far.closeAllConnections()
      far.close()
      await server.close()
    }
  })
})
