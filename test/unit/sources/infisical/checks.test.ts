import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { READER } from '../../../../src/sandbox/infisical/credentials.ts'
import { generatedWindow, readAll, startBench } from '../../../support/infisical-source.ts'

const signal = new AbortController().signal

for (const generation of ['2025', '2026'] as const) {
  test(`test() and identify() find out what a ${generation} server is and leave no event behind`, async () => {
    const bench = await startBench({ events: 100, generation })
    try {
      const checks = await bench.source.test(signal)
      assert.deepEqual(
        checks.map(({ check, state }) => `${check} ${state}`),
        ['log-in ok', 'permission ok', 'generation ok', 'clock warning'],
      )
      await readAll(bench.source, generatedWindow(100))
      const before = (await bench.state()).ownEvents
      const identity = await bench.source.identify(signal)
      assert.deepEqual(identity, {
        url: bench.server.urls['infisical'],
        organization: '2124a45b-316f-4b25-a3a7-cd68caf60dc6',
        identity: READER.identityId,
        scope: 'organization',
        generation,
        // As the expiry of the events that were read says.
        retentionMs: 30 * 86_400_000,
      })
      assert.equal((await bench.state()).ownEvents, before)
      assert.deepEqual(bench.server.violations, [])
    } finally {
      await bench.close()
    }
  })
}

test('test() says what is unreachable and what was refused, without a second try', async () => {
  const bench = await startBench({ events: 10 })
  await bench.server.close()
  const [first, ...rest] = await bench.source.test(signal)
  assert.equal(rest.length, 0)
  assert.equal(first?.check, 'reachable')
  assert.equal(first?.state, 'failure')
  assert.match(first?.message ?? '', /cannot be reached|connection refused/)
  await bench.close()
})

test('plan() shows the request, what goes out with it and what is checked here, without a request', async () => {
  const bench = await startBench({ events: 10 })
  try {
    const filter = { ...NO_FILTER, events: ['get-secret'], fields: { path: '/web', 'actor-type': 'user' } }
    const plan = bench.source.plan(generatedWindow(10), filter, { order: 'asc' })
    assert.match(
      plan.requests[0] ?? '',
      /^GET http:.*audit-logs\?.*eventType=get-secret.*startDate=.*endDate=.*limit=1000/,
    )
    assert.deepEqual(plan.pushedDown, ['--event as eventType=get-secret', '--actor-type as actorType=user'])
    assert.match(plan.local.join(), /--path: a prefix, and the server matches whole paths only/)
    assert.equal(bench.source.requests(), 0)
  } finally {
    await bench.close()
  }
})

test('isOwnRead tells our own reading of the log from that of others', async () => {
  const bench = await startBench({ events: 2000 })
  try {
    await readAll(bench.source, generatedWindow(2000))
    bench.clock.sleep(60_000)
    await new Promise((resolve) => setTimeout(resolve, 10))
    const { events } = await readAll(bench.source, {
      from: bench.clock.now() - 60_001,
      to: bench.clock.now(),
    })
    const own = events.filter((event) => event.action === 'view-audit-logs')
    assert.ok(own.length > 0)
    for (const event of own) assert.equal(bench.source.traits.isOwnRead?.(event), true)
    const [other] = (await readAll(bench.source, generatedWindow(2000))).events
    assert.ok(other !== undefined)
    assert.equal(bench.source.traits.isOwnRead?.(other), false)
  } finally {
    await bench.close()
  }
})
