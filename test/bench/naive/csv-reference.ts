import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import type { AuditEvent } from '../../../src/core/event.ts'
import { csvRow, csvStream } from '../../../src/formats/csv.ts'
import { infisicalShape } from '../../../src/sources/infisical/shape.ts'

// JSON Lines to CSV by the reference writer, for comparing bytes; its speed is not measured.
const [input = '', output = ''] = process.argv.slice(2)
const paths = infisicalShape.columns.map((column) => column.split('.'))
await pipeline(
  createInterface(createReadStream(input)),
  async function* (lines: AsyncIterable<string>) {
    for await (const line of lines) {
      const event = { id: '', bytes: Buffer.from(line), record: () => JSON.parse(line) as unknown }
      yield csvRow(event as unknown as AuditEvent, paths)
    }
  },
  csvStream(infisicalShape.columns),
  createWriteStream(output),
)
