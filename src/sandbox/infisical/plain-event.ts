import { DAY_MS, isoTime } from '../../core/time-range.ts'
import { ORG_ID, PROJECTS } from './templates.ts'
import type { World } from './world.ts'

/** Adds an event about a secret, stored at that time. */
export function addPlainEvent(
  world: World,
  timeUs: number,
  metadata: Readonly<Record<string, unknown>>,
): void {
  const ms = Math.floor(timeUs / 1000)
  const [projectId, projectName] = PROJECTS[0] ?? ['', '']
  const event = {
    id: world.nextId(),
    ipAddress: '203.0.113.21',
    userAgent: 'cli',
    userAgentType: 'cli',
    expiresAt: world.has('clickhouse') ? null : isoTime(ms + 30 * DAY_MS),
    createdAt: isoTime(ms),
    updatedAt: isoTime(ms),
    orgId: ORG_ID,
    projectId,
    projectName,
    event: { type: 'get-secret', metadata },
    actor: {
      type: 'identity',
      metadata: {
        name: 'ci-runner',
        identityId: '1ca70a8f-6229-4925-8539-57232964af9c',
        permission: { metadata: {} },
      },
    },
  }
  world.addEvent(JSON.stringify(event), timeUs, false)
}

/** `big-event=BYTES`: one event of that size, by default a megabyte, among the others. */
export function addBigEvent(world: World): void {
  const fault = world.options.faults
    .list()
    .find((one) => one.service === 'infisical' && one.kind === 'big-event')
  if (fault === undefined || world.store.extras.some((extra) => extra.bytes.length > 100_000)) return
  const { set } = world.store
  const piece = 'one of very many values, "quoted" and \\ escaped; '
  const note = piece.repeat(Math.ceil(Number(fault.value ?? 1_000_000) / (JSON.stringify(piece).length - 2)))
  addPlainEvent(world, set.timeUs(Math.floor(set.size / 3)) + 11, {
    note,
    secretKey: 'HUGE',
    secretPath: '/',
  })
}
