import * as z from 'zod'
import { logIn, PAGE, pageUrl, type Where } from './server.ts'

// The pipeline that everybody writes first: fetch, parse, check with zod. It is the yardstick; nothing here is meant to be quick.

export const eventSchema = z.looseObject({
  id: z.uuid(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().nullish(),
  ipAddress: z.string().nullish(),
  userAgent: z.string().nullish(),
  userAgentType: z.string().nullish(),
  orgId: z.string().nullish(),
  projectId: z.string().nullish(),
  projectName: z.string().nullish(),
  event: z.looseObject({ type: z.string(), metadata: z.record(z.string(), z.unknown()) }),
  actor: z.looseObject({ type: z.string(), metadata: z.record(z.string(), z.unknown()) }),
})
export type NaiveEvent = z.infer<typeof eventSchema>

export async function* naiveEvents(where: Where): AsyncGenerator<NaiveEvent> {
  const token = await logIn(where)
  for (let offset = 0; ; offset += PAGE) {
    const response = await fetch(pageUrl(where, offset), { headers: { authorization: `Bearer ${token}` } })
    const { auditLogs } = (await response.json()) as { auditLogs: unknown[] }
    for (const event of auditLogs) yield eventSchema.parse(event)
    if (auditLogs.length < PAGE) return
  }
}
