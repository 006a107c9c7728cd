export function radosgwMissing(): string | false {
  return 'not yet'
}
export async function startRadosgw(
  bucket: string,
): Promise<{ settings: Record<string, string>; close(): Promise<void> }> {
  throw new Error(bucket)
}
