import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** How many events these JSON Lines hold, and a hash of their ids that does not depend on the order. Each line begins with its id. */
export async function idDigest(
  files: readonly string[],
): Promise<{ count: number; distinct: number; sha256: string }> {
  const ids: string[] = []
  for (const file of files) {
    for await (const line of createInterface(createReadStream(file))) ids.push(line.slice(0, 43))
  }
  ids.sort()
  const hash = createHash('sha256')
  for (const id of ids) hash.update(id)
  return { count: ids.length, distinct: new Set(ids).size, sha256: hash.digest('hex') }
}
