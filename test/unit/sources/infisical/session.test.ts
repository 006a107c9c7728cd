import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError, type RemoteError } from '../../../../src/core/errors.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { SILENT } from '../../../../src/core/runtime.ts'
import { Secret } from '../../../../src/core/secret.ts'
import { createHttpClient } from '../../../../src/http/client.ts'
import { IDENTITIES, READER } from '../../../../src/sandbox/infisical/credentials.ts'
import { PROJECTS } from '../../../../src/sandbox/infisical/templates.ts'
import { listen } from '../../../../src/sandbox/listen.ts'
import { Session } from '../../../../src/sources/infisical/session.ts'
import { fakeClock } from '../../../support/fake-clock.ts'
import { type Bench, generatedWindow, readAll, startBench } from '../../../support/infisical-source.ts'

const WINDOW = generatedWindow(6000)
const JSON_TYPE = { 'content-type': 'application/json' }
const WRONG = 'not-the-secret-0123456789'

async function withBench(options: Parameters<typeof startBench>[0], use: (bench: Bench) => Promise<void>) {
  const bench = await startBench({ events: 6000, ...options })
  try {
    await use(bench)
  } finally {
    await bench.close()
  }
}

const login = (clientId: string, clientSecret: string) => ({
  auth: { method: 'universal-auth', clientId, clientSecret },
})

function refusedWith(words: RegExp) {
  return (error: RemoteError) => {
    assert.ok(error instanceof AuthError, error.message)
    assert.equal(error.exitCode, 5)
    assert.match(error.message, words)
    assert.ok(!`${error.message} ${error.hint}`.includes(WRONG))
    return true
  }
}

test('one log-in serves every worker and every window of a run', async () => {
  await withBench({}, async (bench) => {
    await readAll(bench.source, WINDOW, { concurrency: 8 })
    await readAll(bench.source, WINDOW, { concurrency: 8, order: 'desc' })
    assert.equal((await bench.state()).logins, 1)
  })
})

test('refused credentials are sent once, whoever asks and however often', async () => {
  for (const [settings, words] of [
    [
      login(READER.clientId, WRONG),
      /refused the log-in \(401, request [^)]+\): Invalid credentials|refused the log-in \(401 UnauthorizedError/,
    ],
    [login('00000000-0000-4000-8000-000000000000', WRONG), /404 NotFound/],
  ] as const) {
    await withBench({ settings }, async (bench) => {
      await assert.rejects(readAll(bench.source, WINDOW, { concurrency: 8 }), refusedWith(words))
      await assert.rejects(readAll(bench.source, WINDOW), refusedWith(words))
      await assert.rejects(bench.source.identify(new AbortController().signal), refusedWith(words))
      assert.equal(bench.source.requests(), 1)
      assert.deepEqual(bench.server.violations, [])
    })
  }
})

test('a token that is refused after it has worked is replaced; one that never worked, once', async () => {
  await withBench({ faults: ['token-expire@5'] }, async (bench) => {
    const { events } = await readAll(bench.source, WINDOW, { concurrency: 8 })
    assert.equal(events.length, 6000)
    assert.equal((await bench.state()).logins, 2)
  })
  await withBench({ faults: ['token-expirex*'] }, async (bench) => {
    await assert.rejects(
      readAll(bench.source, WINDOW, { concurrency: 8 }),
      refusedWith(/a token that it had just issued.*403 TokenError/),
    )
    assert.equal((await bench.state()).logins, 2)
  })
})

test('tokens that are good for fewer calls than are asked at once are replaced, and none is called refused', async () => {
  // A spent token is refused at once, while the pages of those who came first take their time.
  const granted: number[] = []
  const stub = await listen({
    async handle(exchange) {
      if (exchange.method === 'POST') {
        granted.push(0)
        const accessToken = `token-${granted.length}-0123456789`
        return exchange.reply(200, JSON.stringify({ accessToken }), JSON_TYPE)
      }
      const number = Number(/token-(\d+)-/.exec(exchange.headers['authorization'] ?? '')?.[1])
      granted[number - 1] = (granted[number - 1] ?? 0) + 1
      if ((granted[number - 1] ?? 0) > 3) {
        return exchange.reply(401, '{"error":"UnauthorizedError","message":"used up"}', JSON_TYPE)
      }
      await new Promise((resolve) => setTimeout(resolve, 30))
      return exchange.reply(200, '{"auditLogs":[]}', JSON_TYPE)
    },
  })
  const http = createHttpClient({ clock: fakeClock(), log: SILENT, env: {}, version: 'test' })
  try {
    const secret = new Secret('a-secret-0123456789', (reference) => reference)
    const session = new Session(
      http.service({ service: 'Infisical', baseUrl: stub.url }),
      { method: 'universal-auth', clientId: secret, clientSecret: secret },
      stub.url,
    )
    const asked = { path: '/', operation: 'test', signal: new AbortController().signal }
    assert.equal((await session.get(asked)).status, 200)
    const replies = await Promise.all(Array.from({ length: 8 }, () => session.get(asked)))
    assert.deepEqual(
      replies.map(({ status }) => status),
      Array.from({ length: 8 }, () => 200),
    )
    assert.ok(granted.length <= 5, `${granted.length} log-ins`)
  } finally {
    await http.close()
    await stub.close()
  }
})

test('a token of the configuration is used as it is and never exchanged', async () => {
  const other = await startBench({ events: 10 })
  const state = (await other.state()) as unknown as { identities: readonly { role: string; token: string }[] }
  const token = state.identities.find(({ role }) => role === 'reader')?.token ?? ''
  await other.close()
  await withBench({ settings: { auth: { method: 'token', token } } }, async (bench) => {
    // The sandbox takes the tokens that it has handed out itself.
    await bench.state()
    assert.equal((await readAll(bench.source, WINDOW)).events.length, 6000)
    assert.equal((await bench.state()).logins, 0)
    const identity = await bench.source.identify(new AbortController().signal)
    assert.equal(identity.identity, READER.identityId)
  })
  await withBench({ settings: { auth: { method: 'token', token: 'aaaa.bbbb.cccc' } } }, async (bench) => {
    await assert.rejects(readAll(bench.source, WINDOW), refusedWith(/refused the token \(403 TokenError/))
    await assert.rejects(readAll(bench.source, WINDOW), refusedWith(/refused the token/))
    assert.equal(bench.source.requests(), 1)
  })
})

test('an identity without the permission is told which one, and one of a project reads with --project', async () => {
  const [, none, project] = IDENTITIES
  assert.ok(none !== undefined && project !== undefined)
  await withBench({ settings: login(none.clientId, none.clientSecret) }, async (bench) => {
    await assert.rejects(
      readAll(bench.source, WINDOW),
      refusedWith(/not let this identity read.*PermissionDenied/),
    )
    const checks = await bench.source.test(new AbortController().signal)
    assert.deepEqual(
      checks.map(({ check, state }) => `${check} ${state}`),
      ['log-in ok', 'permission failure'],
    )
  })
  await withBench({ settings: login(project.clientId, project.clientSecret) }, async (bench) => {
    await assert.rejects(readAll(bench.source, WINDOW), refusedWith(/PermissionDenied/))
    const id = PROJECTS[0]?.[0] ?? ''
    const { events } = await readAll(bench.source, WINDOW, {
      filter: { ...NO_FILTER, fields: { project: id } },
    })
    assert.ok(events.length > 0)
    assert.ok(events.every((event) => event.record()['projectId'] === id))
  })
})
