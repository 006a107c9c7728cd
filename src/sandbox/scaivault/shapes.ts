/** Other names for the same things: what sister products call them. */
export type Variant = 'items' | 'events' | 'bare' | 'nested'

const NAMES: Readonly<Record<Variant, Readonly<Record<string, string>>>> = {
  items: {
    id: 'log_id',
    timestamp: 'occurred_at',
    identity_id: 'actor_id',
    identity_type: 'actor_type',
    secret_path: 'resource_path',
    extra_data: 'metadata',
  },
  events: { id: 'event_id', timestamp: 'time', secret_path: 'path', extra_data: 'context' },
  bare: { timestamp: 'created_at', secret_path: 'resource' },
  nested: {},
}

/** The entry in the names of the variant. */
export function renamed(text: string, variant: Variant | undefined): string {
  if (variant === undefined) return text
  const names = NAMES[variant] ?? {}
  const entry = JSON.parse(text) as Readonly<Record<string, unknown>>
  const { identity_id, identity_type, success, timestamp, ...rest } = entry
  const changed = {
    ...rest,
    // A time without a zone is one more thing that may happen.
    timestamp: variant === 'events' ? String(timestamp).replace('Z', '') : timestamp,
    ...(variant === 'nested'
      ? { identity: { id: identity_id, type: identity_type } }
      : { identity_id, identity_type }),
    ...(variant === 'items' ? { outcome: success === true ? 'success' : 'failure' } : { success }),
  }
  return JSON.stringify(
    Object.fromEntries(Object.entries(changed).map(([key, value]) => [names[key] ?? key, value])),
  )
}

/** The page around its entries. */
export function envelopeOf(
  texts: readonly string[],
  cursor: string | null,
  hasMore: boolean,
  variant: Variant | undefined,
  around: Readonly<Record<string, unknown>>,
): string {
  const list = `[${texts.join(',')}]`
  const more = JSON.stringify(around).slice(1, -1)
  const rest = more === '' ? '' : `,${more}`
  const quoted = JSON.stringify(cursor)
  switch (variant) {
    case 'items':
      return `{"data":{"items":${list}},"pagination":{"next_cursor":${quoted}}${rest}}`
    case 'events':
      return `{"events":${list},"nextCursor":${quoted},"hasMore":${hasMore}${rest}}`
    case 'bare':
      // No cursor fits beside a bare array: everything after it is asked for by time.
      return hasMore ? `{"entries":${list},"meta":{"next_cursor":${quoted}}${rest}}` : list
    case 'nested':
      return `{"data":{"logs":${list}},"pagination":{"cursor":${quoted},"has_more":${hasMore}}${rest}}`
    default:
      return `{"logs":${list},"cursor":${quoted},"has_more":${hasMore}${rest}}`
  }
}
