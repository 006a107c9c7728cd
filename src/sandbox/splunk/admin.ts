import type { FaultPlan } from '../faults.ts'
import type { Handler, Violation } from '../listen.ts'
import { addFaults } from '../receiver-admin.ts'

/** `/__emulator/`: `GET state`, `POST faults` with `{"faults":[…],"clear":true}`, `POST reset`. */
export function adminHandler(parts: {
  readonly faults: FaultPlan
  readonly kinds: readonly string[]
  readonly violations: readonly Violation[]
  state(): Readonly<Record<string, number>>
  reset(): void
}): Handler {
  return (exchange) => {
    switch (`${exchange.method} ${exchange.path.slice('/__emulator/'.length)}`) {
      case 'GET state':
        return exchange.reply(200, {
          service: 'splunk',
          ...parts.state(),
          violations: parts.violations,
          faults: parts.faults.list(),
        })
      case 'POST faults': {
        const asked = JSON.parse(exchange.body.toString() || '{}') as { faults?: string[]; clear?: boolean }
        const refusal = addFaults(parts.faults, 'splunk', parts.kinds, asked)
        if (refusal !== undefined) return exchange.reply(400, { error: refusal })
        return exchange.reply(200, { faults: parts.faults.list() })
      }
      case 'POST reset':
        parts.faults.clear()
        parts.reset()
        return exchange.reply(200, parts.state())
      default:
        return exchange.reply(404, { error: 'no such admin route' })
    }
  }
}
