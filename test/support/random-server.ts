import type { TimeRange } from '../../src/core/time-range.ts'
import { listen } from '../../src/sandbox/listen.ts'

/** The one source of chance of a trial. */
export type Dice = {
  /** In `[0, 1)`. */
  next(): number
  int(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
}

/** mulberry32 */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: <T>(choices: readonly T[]) => choices[int(0, choices.length - 1)] as T,
  }
}

export type Habits = {
  /** Whether an event at the very end of the asked time is in the answer. */
  readonly isInclusive: boolean
  readonly maxLimit: number
  /** Wider windows are refused, or time out. */
  readonly widestMs: number
  readonly slowMs: number
  readonly errors: number
  /** Rows stored late, with an older time. */
  readonly late: number
  /** How often a token dies. */
  readonly forgets: number
}

type Row = {
  readonly us: number
  readonly id: string
  readonly type: string
  readonly actor: string
  readonly agent: string | null
}

const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * An audit-log endpoint written from the specification alone: rows by microsecond, shown by millisecond, with nothing that orders those of
 * one microsecond, so that each answer has them in another order.
 */
export async function startRandomServer(dice: Dice, habits: Habits, window: TimeRange) {
  const rows: Row[] = []
  let [made, tokens, asked] = [0, 0, 0]
  const late: Row[] = []
  const make = (us: number): Row => {
    made += 1
    return {
      us,
      id: `${String(dice.int(0, 999_999)).padStart(6, '0')}-${made}`,
      type: dice.pick(['get-secret', 'create-secret', 'user-login']),
      actor: dice.pick(['user', 'identity', 'platform']),
      agent: dice.pick(['cli', 'web', null]),
    }
  }

  const answer = (query: URLSearchParams): { readonly status: number; readonly body: string } => {
    const [from, to] = [Date.parse(query.get('startDate') ?? ''), Date.parse(query.get('endDate') ?? '')]
    const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))]
    const issues: unknown[] = []
    if (limit > habits.maxLimit)
      issues.push({ path: ['limit'], maximum: habits.maxLimit, message: 'too many' })
    if (to - from > habits.widestMs)
      issues.push({ path: ['endDate'], message: 'Dates must be within 3 months' })
    if (issues.length > 0)
      return {
        status: 422,
        body: JSON.stringify({ statusCode: 422, error: 'ValidationFailure', message: issues }),
      }
    if (to - from > habits.slowMs) return { status: 504, body: '{"error":"GatewayTimeoutError"}' }
    const wanted = (name: string, value: string | null) => !query.has(name) || query.get(name) === value
    const inside = rows
      .filter(({ us }) => us >= from * 1000 && (us < to * 1000 || (habits.isInclusive && us === to * 1000)))
      .filter(
        (row) =>
          wanted('eventType', row.type) &&
          wanted('actorType', row.actor) &&
          wanted('userAgentType', row.agent) &&
          wanted('projectId', null),
      )
      .map((row) => ({ row, place: dice.next() }))
      .sort((a, b) => b.row.us - a.row.us || a.place - b.place)
    const page = inside.slice(offset, offset + limit).map(({ row }) => jsonOf(row))
    if (dice.chance(habits.late)) {
      const row = make(dice.int(window.from * 1000, window.to * 1000))
      rows.push(row)
      late.push(row)
    }
    return { status: 200, body: `{"auditLogs":[${page.join(',')}]}` }
  }

  const listener = await listen({
    handle(exchange) {
      asked += 1
      if (exchange.method === 'POST') {
        tokens += 1
        return exchange.reply(200, JSON.stringify({ accessToken: `token-${tokens}-0123456789` }), JSON_TYPE)
      }
      if (exchange.headers['authorization'] !== `Bearer token-${tokens}-0123456789`)
        return exchange.reply(403, '{"error":"TokenError","message":"expired"}', JSON_TYPE)
      if (dice.chance(habits.errors)) {
        const kind = dice.pick(['500', 'reset', '429', 'cut'])
        if (kind === 'reset') return exchange.reset()
        if (kind === 'cut') return exchange.reply(200, '{"auditLogs":[{"id":"', JSON_TYPE)
        return exchange.reply(Number(kind), '{"message":"try again in 2 seconds"}', JSON_TYPE)
      }
      const { status, body } = answer(exchange.query)
      exchange.reply(status, body, JSON_TYPE)
      // Only what has worked may be lost: a token that never did is a refusal.
      if (status === 200 && dice.chance(habits.forgets)) tokens += 1
      return undefined
    },
  })
  return {
    url: listener.url,
    late: late as readonly Row[],
    add(...us: readonly number[]) {
      for (const one of us) rows.push(make(one))
    },
    /** Some rows a second time, as ClickHouse keeps them until a merge. */
    double: () => rows.push(...rows.filter(() => dice.chance(0.05))),
    rows: () => rows.slice(),
    asked: () => asked,
    close: () => listener.close(),
  }
}

function jsonOf({ us, id, type, actor, agent }: Row): string {
  const createdAt = new Date(Math.floor(us / 1000)).toISOString()
  return JSON.stringify({
    id,
    createdAt,
    updatedAt: createdAt,
    expiresAt: null,
    userAgentType: agent,
    projectId: null,
    event: { type, metadata: null },
    actor: { type: actor, metadata: {} },
  })
}
