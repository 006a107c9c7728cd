/** Columns of a download, in another order than the documentation names the fields. */
const COLUMNS = [
  ...['occurred_at', 'id', 'success', 'version', 'action', 'actor', 'target', 'scope'],
  ...['organization', 'account', 'payload', 'metadata', 'request', 'common_fields'],
]

/** A download of CircleCI's audit log: a row an event, every nested field as JSON text in its cell. */
export function circleciCsv(events: Iterable<Readonly<Record<string, unknown>>>): string {
  const rows = [COLUMNS.join(',')]
  for (const event of events) rows.push(COLUMNS.map((column) => cellOf(event[column])).join(','))
  return `${rows.join('\r\n')}\r\n`
}

export function cellOf(value: unknown): string {
  if (value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
