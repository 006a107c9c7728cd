import type { Exchange } from '../listen.ts'
import { S3Error, unsupportedHeader } from './errors.ts'
import type { StoredObject } from './store.ts'

/**
 * `If-None-Match: *` and `If-Match` of a write.
 * @throws S3Error as S3 answers
 * @source https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function checkWrite(object: StoredObject | undefined, { headers }: Exchange): void {
  const absent = headers['if-none-match']
  if (absent !== undefined && absent !== '*') throw unsupportedHeader('if-none-match')
  if (absent === '*' && object !== undefined) throw failed()
  const same = headers['if-match']
  if (same === undefined) return
  if (object === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
  if (!holds(same, object)) throw failed()
}

/** The same of a read: whether there is anything new to be told. @throws S3Error */
export function isUnchanged(object: StoredObject, { headers }: Exchange): boolean {
  const [same, other] = [headers['if-match'], headers['if-none-match']]
  if (same !== undefined && !holds(same, object)) throw failed()
  return other !== undefined && holds(other, object)
}

function holds(condition: string, { etag }: StoredObject): boolean {
  return condition.split(',').some((tag) => ['*', etag].includes(tag.trim().replaceAll('"', '')))
}

function failed(): S3Error {
  return new S3Error(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
  )
}
