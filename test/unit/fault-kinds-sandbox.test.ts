import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { UserError } from '../../src/core/errors.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'

const RECEIVERS = [
  'splunk',
  'datadog',
  'azure',
  'cribl',
  'better-stack',
  'xsiam',
  'sumo-logic',
  'custom',
] as const

const start = async (service: string, spec: string) => {
  const load = (await SANDBOXES[service]?.()) ?? assert.fail(`there is no sandbox of ${service}`)
  return load({ seed: 1, generation: '2026', recent: false, now: () => 0, faults: faultPlan([spec]) })
}

describe('faults that a sandbox does not have', () => {
  for (const service of RECEIVERS) {
    test(`${service} refuses a kind that is misspelt, and names the right one`, async () => {
      await assert.rejects(
        start(service, `${service}:reset-befor`),
        (error) =>
          error instanceof UserError &&
          error.message.includes('no fault "reset-befor"') &&
          error.hint?.includes('reset-before') === true,
      )
    })

    test(`${service} refuses it at its controls too, and keeps what it had`, async () => {
      const sandbox = await start(service, `${service}:reset-before@99`)
      try {
        const [url = ''] = Object.values(sandbox.urls)
        for (const spec of [`${service}:reset-befor`, 'nonsense']) {
          const reply = await fetch(`${url}/__emulator/faults`, {
            method: 'POST',
            body: JSON.stringify({ faults: [`${service}:slow@99`, spec], clear: true }),
          })
          assert.equal(reply.status, 400)
          assert.match(await reply.text(), /no fault|is not a fault/)
        }
        const state = await (await fetch(`${url}/__emulator/state`)).json()
        assert.equal((state as { readonly faults: readonly unknown[] }).faults.length, 1)
      } finally {
        await sandbox.close()
      }
    })

    test(`${service} knows every kind that it takes`, async () => {
      const source = globSync(`src/sandbox/${service}/*.ts`)
        .map((file) => readFileSync(file, 'utf8'))
        .join('\n')
      const taken = /\b(?:due|take|isDue|numberOf|after|standing)\((?:'[\w-]+', )?'([a-z0-9-]+)'/g
      const kinds = new Set([...source.matchAll(taken)].map(([, kind = '']) => kind))
      kinds.delete(service)
      assert.ok(kinds.size > 0)
      for (const kind of kinds) await (await start(service, `${service}:${kind}@999`)).close()
    })
  }

  test('a count behind the value is no value', () => {
    for (const spec of ['splunk:status=413@2', 'splunk:slow=5x2', 'splunk:slow=5x*']) {
      assert.throws(() => faultPlan([spec]), /is not a fault/)
    }
    assert.equal(faultPlan(['splunk:poison=a@2']).list()[0]?.value, 'a@2')
  })
})
