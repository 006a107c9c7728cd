import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { streamCommand } from '../../src/cli/commands/stream.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { fakeRuntime, invocation } from './cli/fake-runtime.ts'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

/** Of providers whose own papers do not promise that any age is kept. */
const UNPROMISED = ['splunk', 'better-stack', 'xsiam', 'custom'] as const

describe('the ages of events that a provider keeps', () => {
  for (const provider of UNPROMISED) {
    test(`of ${provider} are not said to be any: what is known stands in their place`, async () => {
      const { keeps } = (await DESTINATIONS[provider]?.()) ?? assert.fail()
      assert.ok(keeps !== undefined && !/any age/.test(keeps))
      const row = README.split('\n').find((line) => line.startsWith(`| \`${provider}\` |`)) ?? ''
      assert.ok(row.includes(`| ${keeps} |`), row)
    })
  }

  for (const [provider, note] of [
    ['sumo-logic', /365d back, 2d ahead, by a source of its own/],
    ['azure', /\| skip \(restamp with timeColumn\) \|/],
  ] as const) {
    test(`of ${provider} come with what they depend on`, () => {
      const row = README.split('\n').find((line) => line.startsWith(`| \`${provider}\` |`)) ?? ''
      assert.match(row, note)
    })
  }

  test('stream types says what a window and a late rule depend on, beside the plain values', async () => {
    const types = async (output: string) => {
      const { runtime, stdout } = fakeRuntime({})
      await streamCommand(invocation('stream types', [], { output }), runtime)
      return stdout()
    }
    type Row = { provider: string; late: string; lateNote?: string; acceptWindow: { note?: string } }
    const rows = JSON.parse(await types('json')) as readonly Row[]
    const of = (provider: string) => rows.find((row) => row.provider === provider) ?? assert.fail()
    assert.equal(of('sumo-logic').acceptWindow.note, 'by a source of its own')
    assert.deepEqual([of('azure').late, of('azure').lateNote], ['skip', 'restamp with timeColumn'])
    assert.ok(!('lateNote' in of('datadog')))
    const table = await types('table')
    assert.match(table, /-365d to \+2d, by a source of its own/)
    assert.match(table, /skip \(restamp with timeColumn\)/)
  })

  test('are bounded by figures, or said in words, or any', async () => {
    for (const load of Object.values(DESTINATIONS)) {
      const { accepts, keeps } = await load()
      assert.ok(accepts.pastMs === undefined || keeps === undefined)
    }
  })
})
