import { closeSync, openSync, writeSync } from 'node:fs'
import { Pool } from 'undici'
import { sliceEvents } from '../../../src/core/json-slice.ts'
import { logIn, PAGE, pageUrl, whereOf } from './server.ts'

// The floor: undici's bytes sliced and written, and nothing else.
const { where, rest } = whereOf(process.argv)
const token = await logIn(where)
const pool = new Pool(new URL(where.url).origin)
const file = openSync(rest[0] ?? '', 'w')
for (let offset = 0; ; offset += PAGE) {
  const { pathname, search } = new URL(pageUrl(where, offset))
  const { body } = await pool.request({
    method: 'GET',
    path: pathname + search,
    headers: { authorization: `Bearer ${token}` },
  })
  const bytes = await body.bytes()
  const sliced = sliceEvents(bytes, { arrayKey: 'auditLogs', idKey: 'id', timeKey: 'createdAt' })
  if (sliced === undefined) throw new Error('a page that cannot be sliced')
  const { count, starts, ends } = sliced.spans
  if (count > 0) {
    for (let n = 0; n < count; n += 1) bytes[ends[n] ?? 0] = 0x0a
    writeSync(file, bytes, starts[0] ?? 0, (ends[count - 1] ?? 0) + 1 - (starts[0] ?? 0))
  }
  if (count < PAGE) break
}
closeSync(file)
await pool.close()
