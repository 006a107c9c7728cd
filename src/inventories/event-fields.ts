export type EventFields = { readonly id: string; readonly time: string }

/** Where id and time stand in an event: the live stream's shape for Infisical, the native one for the others. */
const FIELDS: Readonly<Record<string, EventFields>> = {
  infisical: { id: 'id', time: 'createdAt' },
  scaivault: { id: 'id', time: 'timestamp' },
  infrakitchen: { id: 'id', time: 'created_at' },
  circleci: { id: 'id', time: 'occurred_at' },
}

export function eventFields(sourceType: string, idField: string | undefined): EventFields {
  const known = FIELDS[sourceType] ?? { id: 'id', time: 'createdAt' }
  return { id: idField ?? known.id, time: known.time }
}
