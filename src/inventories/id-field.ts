/** Where a row may hold the event's id when nobody says where, in this order. */
const ID_FIELDS = ['id', 'event.id', '_raw.id', 'audit.id'] as const

/** Where a row may hold the event's own time: the sources' keys, not the SIEM's time of arrival. */
const TIME_KEYS = ['createdAt', 'occurred_at', 'occurredAt', 'time', 'timestamp', 'created_at'] as const

/** Splunk wraps each row of an export in this. */
const WRAPPER = 'result'

export type Field = { readonly name: string; readonly path: readonly string[] }

/** `a.b` or the JSON pointer `/a/b`; undefined: the usual places, also inside Splunk's rows. */
export function idFields(field: string | undefined): readonly Field[] {
  if (field !== undefined) {
    const path = field.startsWith('/') ? pointerPath(field) : field.split('.')
    return [
      { name: field, path },
      { name: field, path: [WRAPPER, ...path] },
    ]
  }
  return [[], [WRAPPER]].flatMap((before) =>
    ID_FIELDS.map((name) => ({ name: [...before, name].join('.'), path: [...before, ...name.split('.')] })),
  )
}

/** The key of the time in a row of the file; undefined when it has none of the usual ones. */
export function timeKeyOf(names: readonly string[]): string | undefined {
  return TIME_KEYS.find((key) => names.includes(key))
}

/**
 * The id at a path: a string, a number, or a list that repeats one of them, as Splunk shows a field that was extracted twice. A literal key
 * with dots in it wins over the path, and a string on the way is read as JSON, which is what `_raw` holds.
 */
export function idAt(row: unknown, path: readonly string[]): string | undefined {
  let value = row
  for (let i = 0; i < path.length; i += 1) {
    if (typeof value === 'string') value = parsed(value)
    if (value === null || typeof value !== 'object') return undefined
    const whole = path.slice(i).join('.')
    if (Object.hasOwn(value, whole)) return idOf((value as Record<string, unknown>)[whole])
    value = (value as Record<string, unknown>)[path[i] ?? '']
  }
  return idOf(value)
}

export function idOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value.trim()
  if (Number.isSafeInteger(value)) return String(value)
  if (!Array.isArray(value) || value.length === 0) return undefined
  return value.every((item) => item === value[0]) ? idOf(value[0]) : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @source RFC 6901 */
function pointerPath(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
