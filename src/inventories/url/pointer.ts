/** The steps of a JSON pointer. @source RFC 6901 */
export function pointerPath(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What stands at a JSON pointer; undefined where nothing does. */
export function atPointer(value: unknown, pointer: string): unknown {
  let found = value
  for (const key of pointerPath(pointer)) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found
}
