import { readError } from './disk-errors.ts'
import { openToRead } from './files.ts'

/**
 * Where the text of a file begins when it lies there as plain UTF-8, so that places in the text are places in the file; undefined when it is
 * packed or in another encoding.
 */
export async function plainStart(path: string): Promise<number | undefined> {
  const handle = await openToRead(path)
  try {
    const head = Buffer.alloc(4)
    const { bytesRead } = await handle.read(head, 0, 4, 0)
    const hex = head.toString('hex', 0, bytesRead)
    if (/^(?:1f8b|28b52ffd|5.2a4d18|fffe|feff)/.test(hex)) return undefined
    return hex.startsWith('efbbbf') ? 3 : 0
  } catch (error) {
    throw readError(error, path)
  } finally {
    await handle.close()
  }
}
