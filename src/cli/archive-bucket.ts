import { UserError } from '../core/errors.ts'
import type { ArchiveBucket } from '../operations/backfill/types.ts'
import { folderPrefix } from '../storage/objects/hour-keys.ts'
import { isObjectUrl } from '../storage/objects/location.ts'
import { openObjects } from '../storage/objects/open-objects.ts'
import type { OpenStore } from '../storage/objects/open-store.ts'
import { isUrl } from './entries.ts'
import { timeoutOf } from './flags.ts'
import type { Invocation } from './invocation.ts'
import type { Runtime } from './runtime.ts'

const TYPE = 'application/gzip'

/**
 * The bucket that a stream's `archive.dir` names; undefined where it is a folder. Closed when the command ends.
 * @throws UserError for another kind of URL, or when the vendor's SDK is not installed
 */
export async function openArchive(
  dir: string | undefined,
  invocation: Invocation,
  runtime: Runtime,
  openStore?: OpenStore,
): Promise<ArchiveBucket | undefined> {
  if (dir === undefined || !isUrl(dir)) return undefined
  if (!isObjectUrl(dir) || /[*?[{]/.test(dir)) {
    throw new UserError(`archive.dir: ${JSON.stringify(dir)} is not a folder or the URL of one in a bucket`, {
      hint: 'write it like s3://bucket/prefix, gs://bucket/prefix or azblob://container/prefix',
      code: 'archive-dir',
    })
  }
  const opened = await openObjects(dir, {
    clock: runtime.clock,
    env: runtime.io.env,
    timeoutMs: timeoutOf(invocation),
    openStore,
  })
  runtime.onExit(() => opened.close())
  const prefix = folderPrefix(opened.prefix)
  return {
    async write(path, content, signal) {
      await opened.putIfAbsent(`${prefix}${path}`, content, TYPE, signal)
    },
  }
}
