import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { type NaiveEvent, naiveEvents } from './client.ts'
import { whereOf } from './server.ts'

const COLUMNS = [
  ...['id', 'createdAt', 'event.type', 'actor.type', 'actor.metadata', 'orgId', 'projectId', 'projectName'],
  ...['ipAddress', 'userAgent', 'userAgentType', 'event.metadata', 'expiresAt', 'updatedAt'],
]

/** Rows are arrays: the quickest form that csv-stringify has. */
function rowOf({ event, actor, ...own }: NaiveEvent): unknown[] {
  return [
    ...[
      own.id,
      own.createdAt,
      event.type,
      actor.type,
      JSON.stringify(actor.metadata),
      own.orgId,
      own.projectId,
    ],
    ...[own.projectName, own.ipAddress, own.userAgent, own.userAgentType, JSON.stringify(event.metadata)],
    ...[own.expiresAt, own.updatedAt],
  ]
}

const { where, rest } = whereOf(process.argv)
await pipeline(
  Readable.from(naiveEvents(where)),
  async function* (events: AsyncIterable<NaiveEvent>) {
    for await (const event of events) yield rowOf(event)
  },
  stringify({ header: true, columns: COLUMNS, record_delimiter: '\r\n', escape_formulas: true }),
  createWriteStream(rest[0] ?? ''),
)
