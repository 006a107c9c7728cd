import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isoTime } from '../../src/core/time-range.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { startTrial, type Trial } from '../support/trial.ts'

const PING = { ping: 'ok' }
const JSON_TYPE = { 'content-type': 'application/json' }
type Request = { readonly url: string; readonly headers: Record<string, string>; readonly body: unknown }
const text = (trial: Trial, key: string) => String(trial.settings[key])

/** What Infisical sends once when a stream is made or changed, as it sends it to each provider. */
const PINGS: Readonly<Record<string, (trial: Trial) => Request | Promise<Request>>> = {
  splunk: (trial) => ({
    url: `${text(trial, 'url')}/services/collector/event`,
    headers: { authorization: `Splunk ${text(trial, 'token')}` },
    body: { time: FAKE_START / 1000, source: 'infisical', sourcetype: '_json', event: PING },
  }),
  datadog: (trial) => ({
    url: `${text(trial, 'intakeUrl')}/api/v2/logs`,
    headers: { 'dd-api-key': text(trial, 'apiKey') },
    body: {
      ...PING,
      hostname: 'infisical',
      ddsource: 'infisical',
      service: 'infisical',
      ddtags: 'env:unknown',
    },
  }),
  azure: async (trial) => {
    const reply = await fetch(`${text(trial, 'authorityUrl')}/${text(trial, 'tenantId')}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: text(trial, 'clientId'),
        client_secret: text(trial, 'clientSecret'),
        scope: 'https://monitor.azure.com/.default',
      }),
    })
    const { access_token: token } = (await reply.json()) as { readonly access_token: string }
    const { endpoint, ruleId, table } = trial.settings
    return {
      url: `${endpoint}/dataCollectionRules/${ruleId}/streams/Custom-${table}_CL?api-version=2023-01-01`,
      headers: { authorization: `Bearer ${token}` },
      body: [{ ...PING, TimeGenerated: isoTime(FAKE_START) }],
    }
  },
  cribl: (trial) => ({
    url: text(trial, 'url'),
    headers: { authorization: `Bearer ${text(trial, 'token')}` },
    body: PING,
  }),
  // Both by the product's custom provider.
  'better-stack': (trial) => ({
    url: text(trial, 'url'),
    headers: { authorization: `Bearer ${text(trial, 'token')}` },
    body: PING,
  }),
  xsiam: (trial) => ({
    url: text(trial, 'url'),
    headers: { authorization: text(trial, 'token') },
    body: PING,
  }),
  'sumo-logic': (trial) => ({
    url: text(trial, 'url'),
    headers: { 'x-sumo-token': text(trial, 'token') },
    body: PING,
  }),
  custom: (trial) => ({
    url: text(trial, 'url'),
    headers: trial.settings['headers'] as Record<string, string>,
    body: PING,
  }),
}

describe('the ping of a new stream', () => {
  for (const [provider, pingOf] of Object.entries(PINGS)) {
    test(`is taken by ${provider}, breaks no rule, and is no event`, async () => {
      const trial = await startTrial(provider)
      try {
        const { url, headers, body } = await pingOf(trial)
        const reply = await fetch(url, {
          method: 'POST',
          headers: { ...JSON_TYPE, ...headers },
          body: JSON.stringify(body),
        })
        assert.ok(reply.ok, `${reply.status} ${await reply.text()}`)
        assert.deepEqual([trial.held(), trial.sandbox.violations], [[], []])
        assert.equal(trial.sandbox.rows?.().length, 1)
      } finally {
        await trial.close()
      }
    })
  }
})
