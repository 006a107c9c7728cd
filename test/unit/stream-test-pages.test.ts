import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/core/event.ts'
import { startTrial } from '../support/trial.ts'

/** What `stream test` looks at first, and what it may say where a proxy's web page answers 200 in the receiver's place. */
const FIRST_CHECKS = [
  ['splunk', 'HEC is reachable', 'failure'],
  ['datadog', 'API key', 'failure'],
  ['azure', 'Entra token', 'failure'],
  ['cribl', 'HTTP source and token', 'failure'],
  ['better-stack', 'source token', 'failure'],
  ['xsiam', 'collector key', 'failure'],
  ['custom', 'receiver is reachable', 'warning'],
  ['sumo-logic', 'receiver is reachable', 'warning'],
] as const

describe('a web page with status 200 is no receiver', () => {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(request.method === 'HEAD' ? undefined : '<!doctype html><title>Sign in</title>')
  })
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  after(() => new Promise((resolve) => server.close(resolve)))

  for (const [provider, name, state] of FIRST_CHECKS) {
    test(`test() of ${provider} says so, with a hint`, async () => {
      const trial = await startTrial(provider)
      try {
        const page = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const text = JSON.stringify(trial.settings).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, page)
        const checks = await trial
          .destination(JSON.parse(text) as JsonObject)
          .test({ send: false, signal: new AbortController().signal })
        const found = checks.find(({ check }) => check === name)
        assert.equal(found?.state, state, JSON.stringify(checks))
        assert.ok(found?.hint)
      } finally {
        await trial.close()
      }
    })
  }
})
