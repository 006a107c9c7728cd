import assert from 'node:assert/strict'
import { AuditctlError, AuthError, ContractError } from '../../src/core/errors.ts'
import type { AuditEvent } from '../../src/core/event.ts'
import { NO_FILTER } from '../../src/core/filter.ts'
import { readAll } from '../support/infisical-source.ts'
import { KINDS, promisesOf } from '../support/source-trial.ts'

/** What a source makes of its events, and what it does when its server is not well; for every source of the registry. */

const never = () => new AbortController().signal

for (const [type, { odd, wrong }] of Object.entries(KINDS)) {
  const promise = promisesOf(type)

  promise(
    'keeps unknown fields, large numbers and every digit of a time to the byte',
    { lines: [odd.line] },
    async (trial) => {
      const { events } = await readAll(trial.source, trial.window)
      const event = events.find(({ id }) => id === odd.id)
      assert.ok(event !== undefined)
      assert.equal(Buffer.from(event.bytes).toString(), odd.line)
      assert.equal(Buffer.from(event.buffer.subarray(event.start, event.end)).toString(), odd.line)
      assert.equal(event.occurredAt, odd.time)
      assert.equal(event.occurredAtMs, Date.parse(odd.time.replace(/(\.\d{3})\d+/, '$1')))
      assert.equal(event.action, odd.action)
      assert.equal(event.source, trial.source.shape.type)
    },
  )

  promise(
    'gives the streamed and the common shape of any event, and changes none',
    { lines: [odd.line] },
    async (trial) => {
      const { shape, streamedSettings } = trial.source
      const { events } = await readAll(trial.source, trial.window)
      for (const event of [...events.slice(0, 200), ...events.slice(-200)] as AuditEvent[]) {
        const before = Buffer.from(event.bytes).toString()
        const first = shape.asStreamed(event, streamedSettings)
        const text = Buffer.from(first.bytes).toString()
        assert.equal(Buffer.from(shape.asStreamed(event, streamedSettings).bytes).toString(), text)
        assert.equal(JSON.parse(text).id, event.id)
        assert.equal(Buffer.from(event.bytes).toString(), before)
        const common = shape.toCommon(event.record())
        assert.deepEqual(Object.keys(common), [
          'id',
          'time',
          'actor',
          'action',
          'target',
          'outcome',
          'ip',
          'userAgent',
          'requestId',
          'organization',
          'project',
          'source',
        ])
        assert.equal(common.id, event.id)
        assert.equal(common.action, event.action)
      }
    },
  )

  promise('plans without a request, and names no secret in plan, identity and checks', {}, async (trial) => {
    const filter = { ...NO_FILTER, events: ['get-secret'], fields: { path: '/web' } }
    const plan = trial.source.plan(trial.window, filter, { order: 'asc' })
    assert.equal(trial.source.requests(), 0)
    assert.ok([...plan.pushedDown, ...plan.local].length > 0)
    const identity = await trial.source.identify(never())
    const checks = await trial.source.test(never())
    assert.ok(checks.length > 0)
    for (const { state, message } of checks) assert.notEqual(state, 'failure', message)
    const said = JSON.stringify([plan, identity, checks])
    for (const secret of trial.secrets) assert.ok(!said.includes(secret))
  })

  if (wrong === undefined) continue

  promise('obeys a server that asks it to slow down', { faults: ['rate-limit@2x3=30'] }, async (trial) => {
    const { events } = await readAll(trial.source, trial.window)
    assert.equal(events.length, trial.truth.length)
    assert.ok(trial.clock.slept.some((ms) => ms >= 30_000 - 1000))
  })

  promise('sends refused credentials once', { settings: wrong.settings }, async (trial) => {
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(readAll(trial.source, trial.window, { concurrency: 8 }), (error) => {
        assert.ok(error instanceof AuthError)
        assert.equal(error.exitCode, 5)
        assert.ok(!`${error.message} ${error.hint}`.includes(wrong.secret))
        return true
      })
    }
    assert.equal(trial.source.requests(), 1)
  })

  for (const kind of ['html', 'truncate']) {
    promise(
      `calls ${kind === 'html' ? 'HTML' : 'a body cut short'} a broken reply`,
      { faults: [`${kind}x*`] },
      async (trial) => {
        await assert.rejects(readAll(trial.source, trial.window), (error) => {
          assert.ok(error instanceof ContractError && error instanceof AuditctlError)
          assert.match(error.message, /JSON/)
          for (const secret of trial.secrets) assert.ok(!error.message.includes(secret))
          return true
        })
      },
    )
  }
}
