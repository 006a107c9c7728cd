import { DAY_MS } from '../../core/time-range.ts'
import type { Exchange } from '../listen.ts'
import { PARAMETERS } from './query.ts'
import type { World } from './world.ts'

const WIDEST_DAYS = 89
const MOST_ROWS = 1000
/** Deeper offsets make the database sort and skip everything before them. */
const DEEPEST = 50_000

/** Notes what a careful client never asks, though the server may answer it. */
export function judgeQuery(world: World, exchange: Exchange): void {
  const { query } = exchange
  const violate = (rule: string, detail: string): void => {
    world.violations.push({ request: exchange.index, rule, detail })
  }
  for (const name of new Set(query.keys())) {
    if (!PARAMETERS.includes(name)) violate('parameter-unknown', name)
    if (query.getAll(name).length > 1) violate('parameter-repeated', name)
  }
  const end = query.get('endDate')
  const start = query.get('startDate')
  if (end === null) violate('end-date-missing', 'every later page may be shifted by new events')
  else if (Date.parse(end) > world.options.now()) violate('end-date-in-future', end)
  if (start !== null && end !== null && Date.parse(end) - Date.parse(start) > WIDEST_DAYS * DAY_MS) {
    violate('window-too-wide', `${start} to ${end}`)
  }
  const limit = query.get('limit')
  if (limit === null) violate('limit-missing', 'the server gives 20')
  else if (Number(limit) > MOST_ROWS) violate('limit-too-high', limit)
  const offset = Number(query.get('offset') ?? 0)
  if (offset > DEEPEST) violate('offset-too-deep', String(offset))
}
