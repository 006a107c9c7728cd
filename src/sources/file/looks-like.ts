/** Whether a record is an event of Infisical's query API, or what its log stream sends: an actor, and an event with a type. */
export function looksLikeInfisical(record: unknown): boolean {
  if (record === null || typeof record !== 'object') return false
  const { event, actor, eventType } = record as Record<string, unknown>
  if (typeof eventType === 'string') return typeof actor === 'string'
  return hasType(event) && hasType(actor)
}

function hasType(value: unknown): boolean {
  return value !== null && typeof value === 'object' && 'type' in value && typeof value.type === 'string'
}
