import { createHash } from 'node:crypto'
import type { JsonObject } from '../../src/core/event.ts'
import { parseWhere } from '../../src/core/filter.ts'
import { deliveries } from '../../src/sandbox/circleci/deliveries.ts'
import { circleEvents } from '../../src/sandbox/circleci/world.ts'
import { RECORDED } from './infisical-source.ts'
import { memoryBucket } from './memory-objects.ts'
import type { Kind } from './source-trial.ts'

const EVENTS = 3000
const PREFIX = 'streams/acme/'

/** A bucket in memory, filled as the sandbox fills its own: the SDK is not there. `npm run test:real` reads the sandbox itself. */
export const CIRCLECI: Kind = {
  async place({ lines = [] }) {
    const bucket = memoryBucket({ pageObjects: 7 })
    // The generator ends with its clock, two hours before it.
    const now = () => RECORDED.to + 2 * 3_600_000 - 1000
    const stepMs = (RECORDED.to - RECORDED.from - 2000) / EVENTS
    const events = circleEvents({ events: EVENTS, seed: 5, recent: true, now, stepMs })
    for (const { key, body } of deliveries(events, { isPadded: true, isGzip: false }))
      bucket.objects.set(`${PREFIX}${key}`, body)
    const added = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    if (added.length > 0) {
      const at = new Date(RECORDED.to).toISOString()
      const [year, month, day, hour] = at.split(/[-T:]/)
      const name = `${at.slice(0, 19)}_${createHash('sha1').update(added).digest('hex')}`
      bucket.objects.set(`${PREFIX}year=${year}/month=${month}/day=${day}/hour=${hour}/${name}`, added)
    }
    const truth = [...events, ...lines.map((line) => JSON.parse(line) as JsonObject)]
    return {
      settings: { type: 'circleci', bucket: 'circleci-audit', prefix: PREFIX },
      truth: truth.sort(
        (a, b) => Date.parse(String(a['occurred_at'])) - Date.parse(String(b['occurred_at'])),
      ),
      secrets: [],
      openStore: bucket.open,
      close: async () => {},
    }
  },
  odd: {
    line:
      '{"newField":{"deep":[1.0,1e400]},"id":"00000000-0000-4000-8000-00000000c0de","version":1,"action":"odd",' +
      '"occurred_at":"2026-11-20T12:40:00.000123456Z","success":true,"big":12345678901234567890,' +
      '"actor":{"id":"x","type":"user"},"payload":{"text":"\\u00e9\\/","n":1.50}}',
    id: '00000000-0000-4000-8000-00000000c0de',
    time: '2026-11-20T12:40:00.000123456Z',
    action: 'odd',
  },
  filters: [
    { events: ['context.secrets.accessed', 'user.logged_in'] },
    { events: ['workflow-job-start'] },
    { events: ['no-such-action'] },
    { fields: { actor: 'mona' } },
    { fields: { 'actor-type': 'system' } },
    { fields: { project: 'api' } },
    { fields: { key: 'AWS_ROLE_ARN', outcome: 'failure' } },
    { fields: { entity: 'aws-prod' } },
    { where: [parseWhere('request.ip_address~^203')] },
  ],
}
