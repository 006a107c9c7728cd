import { UserError } from '../core/errors.ts'
import { checkKinds, type FaultPlan, faultPlan } from './faults.ts'
import type { Handler, Violation } from './listen.ts'

/** `/__emulator/`: `GET state`, `POST faults` with `{"faults":[…],"clear":true}`, `POST settings` with some of them, `POST reset`. */
export function receiverAdmin(parts: {
  readonly service: string
  readonly faults: FaultPlan
  /** The faults there are. */
  readonly kinds: readonly string[]
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
        const refusal = addFaults(parts.faults, parts.service, parts.kinds, body)
        if (refusal !== undefined) return exchange.reply(400, { error: refusal })
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

/** All of `{"faults":[…],"clear":true}`, or none of it and what is wrong with it. */
export function addFaults(
  plan: FaultPlan,
  service: string,
  kinds: readonly string[],
  body: { readonly faults?: readonly string[]; readonly clear?: boolean },
): string | undefined {
  const specs = body.faults ?? []
  try {
    checkKinds(faultPlan(specs), service, kinds)
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
  if (body.clear === true) plan.clear()
  for (const spec of specs) plan.add(spec)
  return undefined
}
