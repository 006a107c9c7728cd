import { parseWhere } from '../../src/core/filter.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { FakeClock } from './fake-clock.ts'
import type { Kind, TrialOptions } from './source-trial.ts'

/** A sandbox whose generated events lie in the trials' window, with the lines of the trial added after them. */
function placeOf(service: string, forms: readonly string[]): Kind['place'] {
  return async (options: TrialOptions, clock: FakeClock) => {
    const start = await SANDBOXES[service]?.()
    if (start === undefined) throw new Error(`${service} has no sandbox`)
    const specs = ['start=2026-11-20T12:31:00Z', ...forms, ...(options.faults ?? [])]
    const faults = faultPlan(specs.map((spec) => `${service}:${spec}`))
    const server = await start({
      events: 3000,
      seed: 5,
      generation: '2026',
      recent: false,
      faults,
      now: clock.now,
    })
    if (options.lines !== undefined) {
      await fetch(`${server.urls[service]}/__emulator/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: options.lines.join('\n'),
      })
    }
    return {
      settings: server.config.sources?.[service] ?? {},
      truth: [...(server.events?.() ?? [])],
      secrets: [SECRETS[service] ?? ''],
      remote: { faults, violations: server.violations },
      close: () => server.close(),
    }
  }
}

const SECRETS: Readonly<Record<string, string>> = {
  scaivault: 'skt_sandbox_reader_0123456789abcdef',
  infrakitchen: 'sandbox-ik-password-0123456789',
}

export const SCAIVAULT: Kind = {
  place: placeOf('scaivault', []),
  odd: {
    line:
      '{"newField":{"deep":[1.0,1e400]},"id":"log_0dd","timestamp":"2026-11-20T12:40:00.000123456Z","action":"odd",' +
      '"identity_type":null,"identity_id":"sa:odd","big":12345678901234567890,"extra_data":{"text":"\\u00e9\\/","n":1.50}}',
    id: 'log_0dd',
    time: '2026-11-20T12:40:00.000123456Z',
    action: 'odd',
  },
  filters: [
    { events: ['read', 'rotate'] },
    { events: ['no-such-action'] },
    { fields: { path: '/environments/production' } },
    { fields: { path: 'environments/production/payments/stripe', outcome: 'failure' } },
    { fields: { actor: 'ana@example.com' } },
    { fields: { actor: 'sa:ci-deployer', 'actor-type': 'service_account' } },
    { fields: { 'actor-type': 'system' } },
    { fields: { entity: 'environments/staging/payments/stripe' } },
    { fields: { ip: '198.51.100.24' } },
    { events: ['read'], where: [parseWhere('duration_ms>20')] },
  ],
  wrong: { settings: { token: 'skt_wrong_0123456789abcdef' }, secret: 'skt_wrong_0123456789abcdef' },
}

export const INFRAKITCHEN: Kind = {
  place: placeOf('infrakitchen', ['version=0.3.2']),
  odd: {
    line:
      '{"newField":{"deep":[1.0,1e400]},"id":"0dd0dd0d-c0de-4000-8000-00000000c0de","created_at":"2026-11-20T12:40:00.000123456Z",' +
      '"model":"resource","action":"odd","user_id":"0dd0dd0d-c0de-4000-8000-00000000c0df","entity_id":"0dd0dd0d-c0de-4000-8000-00000000c0e0",' +
      '"creator":null,"big":12345678901234567890,"text":"\\u00e9\\/"}',
    id: '0dd0dd0d-c0de-4000-8000-00000000c0de',
    time: '2026-11-20T12:40:00.000123456Z',
    action: 'odd',
  },
  filters: [
    { events: ['execute', 'Set to $True'] },
    { events: ['no-such-action'] },
    { fields: { model: 'resource' }, events: ['update'] },
    { fields: { actor: 'dana@corp.example' } },
    { fields: { actor: '22e1642c-05e2-42c8-8c2c-000000000001' } },
    { fields: { 'actor-type': 'service_account' } },
    { fields: { entity: '22e1642c-05e2-42c8-8c2c-000000000001' } },
    { fields: { entity: 'no-uuid' } },
    { fields: { model: 'user' }, where: [parseWhere('creator.provider=github')] },
  ],
  wrong: {
    settings: {
      auth: { method: 'service-account', identifier: 'audit', password: 'wrong-password-0123456789' },
    },
    secret: 'wrong-password-0123456789',
  },
}
