import type { FaultPlan } from './faults.ts'
import type { Handler, Violation } from './listen.ts'

/** `/__emulator/`: `GET state`, `POST faults` with `{"faults":[…],"clear":true}`, `POST settings` with some of them, `POST reset`. */
export function receiverAdmin(parts: {
  readonly service: string
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly settings: Record<string, unknown>
  state(): Readonly<Record<string, unknown>>
  reset(): void
}): Handler {
  return (exchange) => {
    const body = exchange.body.length === 0 ? {} : (JSON.parse(exchange.body.toString('utf8')) as object)
    switch (`${exchange.method} ${exchange.path.slice('/__emulator/'.length)}`) {
      case 'GET state':
        break
      case 'POST faults': {
        const asked = body as { readonly faults?: readonly string[]; readonly clear?: boolean }
        if (asked.clear === true) parts.faults.clear()
        for (const spec of asked.faults ?? []) parts.faults.add(spec)
        break
      }
      case 'POST settings':
        Object.assign(parts.settings, body)
        break
      case 'POST reset':
        parts.faults.clear()
        parts.violations.length = 0
        parts.reset()
        break
      default:
        return exchange.reply(404, { error: 'no such admin route' })
    }
    const { service, violations, faults } = parts
    return exchange.reply(200, { service, ...parts.state(), violations, faults: faults.list() })
  }
}
