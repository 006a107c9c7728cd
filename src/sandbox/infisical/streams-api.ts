import type { Exchange } from '../listen.ts'
import type { Identity } from './credentials.ts'
import { uuidOf } from './hash.ts'
import { ORG_ID } from './templates.ts'
import type { World } from './world.ts'

const MASK = '******'
const MADE_AT = '2026-10-01T08:00:00.000Z'

type Stream = {
  readonly id: string
  readonly orgId: string
  readonly provider: string
  readonly streamMode: string
  readonly filters: unknown
  readonly createdAt: string
  readonly updatedAt: string
  readonly credentials: Readonly<Record<string, unknown>>
}

/** Streams that the organization has, as the management API gives them: their secrets stay behind. */
const STREAMS: readonly Stream[] = [
  stream(0, 'splunk', { hostname: 'hec.acme.example', port: 8088 }, null),
  stream(1, 'datadog', { url: 'https://http-intake.logs.datadoghq.eu/api/v2/logs' }, null),
  stream(
    2,
    'custom',
    { url: 'https://siem.acme.example/in', headers: [{ key: 'Authorization', value: MASK }] },
    { products: ['secret-manager', 'organization'] },
  ),
]

const OPTIONS = [
  ['Azure', 'azure'],
  ['Cribl', 'cribl'],
  ['Custom', 'custom'],
  ['Datadog', 'datadog'],
  ['Splunk', 'splunk'],
  ['Sumo Logic', 'sumo-logic'],
].map(([name, provider]) => ({ name, provider }))

/** GET under /api/v1/audit-log-streams. */
export function serveStreams(world: World, exchange: Exchange, caller: Identity) {
  const { reply } = world
  if (caller.role !== 'reader') {
    return reply.error(exchange, 403, 'PermissionDenied', 'You are not allowed to read on settings', {
      details: [],
    })
  }
  const [, , , , first, second] = exchange.path.split('/')
  if (world.options.generation === '2025') return older(world, exchange, first)
  if (first === undefined || first === '') return reply.json(exchange, 200, { auditLogStreams: STREAMS })
  if (first === 'options') return reply.json(exchange, 200, { providerOptions: OPTIONS })
  const found = STREAMS.find((one) => one.id === second)
  if (found === undefined) {
    return reply.error(exchange, 404, 'NotFound', `Audit Log Stream with ID '${second ?? ''}' not found`)
  }
  if (found.provider !== first) {
    const message = `Audit Log Stream with ID '${found.id}' is not for provider '${first}'`
    return reply.error(exchange, 400, 'BadRequest', message)
  }
  reply.json(exchange, 200, { auditLogStream: found })
}

/** One generic target: a URL, and headers that are given back in full when asked for by id. */
function older(world: World, exchange: Exchange, id: string | undefined) {
  const target = {
    id: '2ce082ff-c048-40d0-8e6c-e71daeddf311',
    url: 'http://127.0.0.1:5151/ok?src=infisical',
    createdAt: '2026-11-20T12:55:33.092Z',
    updatedAt: '2026-11-20T12:55:33.092Z',
  }
  const headers = [
    { key: 'X-Lab-Auth', value: 'throwaway' },
    { key: 'Authorization', value: 'Bearer throwaway' },
  ]
  if (id === undefined || id === '') return world.reply.json(exchange, 200, { auditLogStreams: [target] })
  if (id === target.id) return world.reply.json(exchange, 200, { auditLogStream: { ...target, headers } })
  world.reply.error(exchange, 404, 'NotFound', `Audit Log Stream with ID '${id}' not found`)
}

function stream(
  index: number,
  provider: string,
  credentials: Readonly<Record<string, unknown>>,
  filters: unknown,
): Stream {
  return {
    id: uuidOf(11, index),
    orgId: ORG_ID,
    provider,
    streamMode: 'batch',
    filters,
    createdAt: MADE_AT,
    updatedAt: MADE_AT,
    credentials,
  }
}
