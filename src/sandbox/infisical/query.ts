/** One complaint of the server's validation, in its own form. */
export type Issue = { readonly path: readonly (string | number)[]; readonly [key: string]: unknown }

export type ListQuery = {
  readonly text: ReadonlyMap<string, string>
  /** In microseconds; undefined where the client said nothing. */
  readonly startUs: number | undefined
  readonly endUs: number | undefined
  readonly offset: number
  readonly limit: number
}

const TEXT = [
  'projectId',
  'environment',
  'secretPath',
  'secretKey',
  'actorType',
  'actor',
  'eventType',
  'eventClass',
  'userAgentType',
  'eventMetadata',
  'startDate',
  'endDate',
] as const
export const PARAMETERS: readonly string[] = [...TEXT, 'offset', 'limit']

const ACTOR_TYPES_2025 = 'platform kmipClient user service identity machine scimClient unknownUser'.split(' ')
const ACTOR_TYPES_2026 =
  'platform kmipClient user service identity machine scimClient acmeProfile acmeAccount estAccount scepAccount unknownUser'.split(
    ' ',
  )
const USER_AGENT_TYPES = 'web cli k8-operator terraform other InfisicalPythonSDK InfisicalNodeSDK'.split(' ')

/** What the server makes of the parameters, or the issues of its 422 in the order of its schema. */
export function parseQuery(
  query: URLSearchParams,
  generation: '2025' | '2026',
  knownEventTypes: ReadonlySet<string>,
): ListQuery | { readonly issues: readonly Issue[] } {
  const issues: Issue[] = []
  const text = new Map<string, string>()
  for (const name of TEXT) {
    const values = query.getAll(name)
    if (values.length > 1) issues.push(wrongType('string', 'array', name))
    else if (values[0] !== undefined) text.set(name, values[0])
  }
  const choose = (name: string, options: readonly string[]): void => {
    const received = text.get(name)
    if (received !== undefined && !options.includes(received))
      issues.push(notAChoice(name, received, options))
  }
  choose('actorType', generation === '2025' ? ACTOR_TYPES_2025 : ACTOR_TYPES_2026)
  if (generation === '2026') {
    const unknown = text
      .get('eventType')
      ?.split(',')
      .find((type) => !knownEventTypes.has(type))
    if (unknown !== undefined) issues.push(notAChoice('eventType', unknown, [...knownEventTypes]))
  }
  choose('userAgentType', USER_AGENT_TYPES)
  for (const name of ['startDate', 'endDate']) {
    const value = text.get(name)
    if (value !== undefined && microsecondsOf(value) === undefined) {
      issues.push({
        code: 'invalid_string',
        validation: 'datetime',
        message: 'Invalid datetime',
        path: [name],
      })
    }
  }
  const offset = numberOf(query, 'offset', 0, undefined, issues)
  const limit = numberOf(query, 'limit', 20, generation === '2026' ? 1000 : undefined, issues)
  const startUs = microsecondsOf(text.get('startDate') ?? '')
  const endUs = microsecondsOf(text.get('endDate') ?? '')
  if (issues.length === 0 && generation === '2026' && startUs !== undefined && endUs !== undefined) {
    const furthest = new Date(Math.floor(startUs / 1000))
    furthest.setMonth(furthest.getMonth() + 3)
    const refuse = (message: string): number => issues.push({ code: 'custom', message, path: ['endDate'] })
    if (Math.floor(endUs / 1000) < Math.floor(startUs / 1000)) refuse('End date cannot be before start date')
    if (Math.floor(endUs / 1000) > furthest.getTime()) refuse('Dates must be within 3 months')
  }
  return issues.length > 0 ? { issues } : { text, startUs, endUs, offset, limit }
}

/** A date-time with seconds and a `Z`, nothing else, as the server's validator wants it. */
function microsecondsOf(value: string): number | undefined {
  const match = /^(\d{4}-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?Z$/.exec(value)
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}Z`)
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(match[3])) return undefined
  return ms * 1000 + Number((match[4] ?? '').slice(0, 6).padEnd(6, '0'))
}

function numberOf(
  query: URLSearchParams,
  name: string,
  fallback: number,
  most: number | undefined,
  issues: Issue[],
): number {
  const values = query.getAll(name)
  if (values.length === 0) return fallback
  const value = values.length > 1 ? Number.NaN : Number(values[0])
  if (Number.isNaN(value)) issues.push(wrongType('number', 'nan', name))
  else if (most !== undefined && value > most) {
    issues.push({
      code: 'too_big',
      maximum: most,
      type: 'number',
      inclusive: true,
      exact: false,
      message: `Number must be less than or equal to ${most}`,
      path: [name],
    })
  }
  // The query builder below cuts fractions.
  return Math.trunc(value)
}

function wrongType(expected: string, received: string, name: string): Issue {
  return {
    code: 'invalid_type',
    expected,
    received,
    path: [name],
    message: `Expected ${expected}, received ${received}`,
  }
}

function notAChoice(name: string, received: string, options: readonly string[]): Issue {
  const expected = options.map((option) => `'${option}'`).join(' | ')
  return {
    received,
    code: 'invalid_enum_value',
    options,
    path: [name],
    message: `Invalid enum value. Expected ${expected}, received '${received}'`,
  }
}
