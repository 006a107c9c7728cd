import { mapParts } from './map-parts.ts'
import type { Send } from './s3.ts'
import { type NewObject, PART_BYTES, PARTS_IN_FLIGHT } from './store.ts'

/** Sends an object in parts, a few at a time; what was begun and failed is taken back, since unfinished parts are paid for. */
export async function completeInParts(
  send: Send,
  own: Readonly<Record<string, unknown>> & { readonly Key: string },
  { content }: NewObject,
  signal: AbortSignal,
): Promise<void> {
  const { UploadId } = await send('CreateMultipartUpload', own, signal)
  const upload = { Key: own.Key, UploadId }
  try {
    const count = Math.ceil(content.length / PART_BYTES)
    const parts = await mapParts(count, PARTS_IN_FLIGHT, async (n) => {
      const Body = content.subarray(n * PART_BYTES, (n + 1) * PART_BYTES)
      const { ETag } = await send('UploadPart', { ...upload, PartNumber: n + 1, Body }, signal)
      return { PartNumber: n + 1, ETag }
    })
    await send(
      'CompleteMultipartUpload',
      { ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' },
      signal,
    )
  } catch (error) {
    // Not the caller's signal: it may be what failed.
    await send('AbortMultipartUpload', upload, AbortSignal.timeout(10_000)).catch(() => undefined)
    throw error
  }
}
