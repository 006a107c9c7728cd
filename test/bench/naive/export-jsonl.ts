import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import ndjson from 'ndjson'
import { naiveEvents } from './client.ts'
import { whereOf } from './server.ts'

const { where, rest } = whereOf(process.argv)
await pipeline(Readable.from(naiveEvents(where)), ndjson.stringify(), createWriteStream(rest[0] ?? ''))
