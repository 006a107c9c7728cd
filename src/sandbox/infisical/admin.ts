import { faultPlan } from '../faults.ts'
import type { Exchange } from '../listen.ts'
import { IDENTITIES } from './credentials.ts'
import type { NativeEvent } from './event-set.ts'
import { checkFaults } from './fault-kinds.ts'
import { addPlainEvent } from './plain-event.ts'
import { hiddenMicroseconds } from './recorded-set.ts'
import type { World } from './world.ts'

/** The sandbox's own controls, under `/__emulator/`. */
export function administer(world: World, exchange: Exchange) {
  switch (`${exchange.method} ${exchange.path.slice('/__emulator/'.length)}`) {
    case 'GET state':
      return exchange.reply(200, stateOf(world))
    case 'POST faults': {
      const { faults = [], clear = false } = bodyOf<{ faults?: string[]; clear?: boolean }>(exchange)
      if (clear) world.options.faults.clear()
      try {
        checkFaults(faultPlan(faults))
      } catch (error) {
        return exchange.reply(400, { error: error instanceof Error ? error.message : String(error) })
      }
      for (const spec of faults) world.options.faults.add(spec)
      world.rebuild()
      return exchange.reply(200, { faults: world.options.faults.list() })
    }
    case 'POST events':
      return exchange.reply(200, { added: append(world, exchange) })
    case 'POST reset':
      world.options.faults.clear()
      world.store.clearExtras()
      world.rebuild()
      world.auth.clear()
      world.limiter.clear()
      world.violations.length = 0
      world.quiet = undefined
      return exchange.reply(200, stateOf(world))
    default:
      return exchange.reply(404, { error: 'no such admin route' })
  }
}

function stateOf(world: World): Readonly<Record<string, unknown>> {
  const { set, extras } = world.store
  const at = (index: number): string | null =>
    set.size === 0 ? null : new Date(Math.floor(set.timeUs(index) / 1000)).toISOString()
  return {
    service: 'infisical',
    generation: world.options.generation,
    requests: world.request,
    logins: world.auth.logins(),
    violations: world.violations,
    faults: world.options.faults.list(),
    events: set.size + extras.filter((extra) => !extra.own).length,
    ownEvents: extras.filter((extra) => extra.own).length,
    firstTime: at(0),
    lastTime: at(set.size - 1),
    identities: IDENTITIES.map((identity) => ({ ...identity, token: world.auth.staticToken(identity) })),
  }
}

/** `{"count":5}` makes events of now; `{"events":[…]}` or JSON lines are kept as sent, and to the byte in the case of lines. */
function append(world: World, exchange: Exchange): number {
  if (String(exchange.headers['content-type']).includes('ndjson')) {
    const lines = exchange.body.toString('utf8').split('\n')
    const events = lines.filter((line) => line !== '')
    for (const line of events) keep(world, line)
    return events.length
  }
  const { count = 0, events = [] } = bodyOf<{ count?: number; events?: NativeEvent[] }>(exchange)
  for (const event of events) keep(world, JSON.stringify(event))
  for (let index = 0; index < count; index += 1) {
    const timeUs = world.options.now() * 1000 + Math.min(999, index)
    addPlainEvent(world, timeUs, { secretKey: `APPENDED_${index}`, secretPath: '/', environment: 'dev' })
  }
  return events.length + count
}

function keep(world: World, json: string): void {
  const { id, createdAt } = JSON.parse(json) as NativeEvent
  world.addEvent(json, Date.parse(createdAt) * 1000 + hiddenMicroseconds(id), false)
}

function bodyOf<Shape>(exchange: Exchange): Shape {
  return JSON.parse(exchange.body.toString('utf8') || '{}') as Shape
}
