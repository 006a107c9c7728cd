import { UserError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'

/** `service:kind[@N][xTIMES][=VALUE]`: from the Nth request of that service on, TIMES times (default once; `x*` for ever). */
export type Fault = {
  readonly service: string
  readonly kind: string
  readonly from: number
  times: number
  readonly value: string | undefined
  /** Whether `xTIMES` was written: a standing fault without it stays for ever. */
  readonly counted: boolean
}

/** The faults still to come; each is taken as often as it says. */
export type FaultPlan = {
  add(spec: string): void
  /** The fault of that kind due at this request of the service, counted down; undefined when there is none. */
  take(service: string, kind: string, request: number): Fault | undefined
  /** For kinds that are a mode rather than an accident: in force from the Nth request on, counted down only where `xTIMES` was written. */
  standing(service: string, kind: string, request: number): Fault | undefined
  clear(): void
  list(): readonly Fault[]
}

/** @throws UserError for a specification that does not parse */
export function faultPlan(specs: readonly string[] = []): FaultPlan {
  const faults: Fault[] = []
  const plan: FaultPlan = {
    add(spec) {
      const match = /^([a-z0-9-]+):([a-z0-9-]+?)(?:@(\d+))?(?:x(\d+|\*))?(?:=(.*))?$/i.exec(spec)
      // A count belongs before the value; behind it a number would be none.
      if (match === null || /^\d+(?:@\d+|x(?:\d+|\*))$/i.test(match[5] ?? '')) {
        throw new UserError(`--fault ${JSON.stringify(spec)} is not a fault`, {
          hint: 'write it like splunk:busy@3x2 or infisical:slow=500',
        })
      }
      const [, service = '', kind = '', from, times, value] = match
      faults.push({
        service,
        kind,
        from: Number(from ?? 1),
        times: times === '*' ? Number.POSITIVE_INFINITY : Number(times ?? 1),
        value,
        counted: times !== undefined,
      })
    },
    take(service, kind, request) {
      const fault = faults.find(
        (item) => item.service === service && item.kind === kind && request >= item.from && item.times > 0,
      )
      if (fault === undefined) return undefined
      fault.times -= 1
      return fault
    },
    standing(service, kind, request) {
      const fault = faults.find(
        (item) => item.service === service && item.kind === kind && request >= item.from && item.times > 0,
      )
      if (fault?.counted === true) fault.times -= 1
      return fault
    },
    clear: () => {
      faults.length = 0
    },
    list: () => faults,
  }
  for (const spec of specs) plan.add(spec)
  return plan
}

/** @throws UserError for a fault of the service that is not among `known` */
export function checkKinds(plan: FaultPlan, service: string, known: readonly string[]): void {
  const unknown = plan.list().find((fault) => fault.service === service && !known.includes(fault.kind))
  if (unknown === undefined) return
  throw new UserError(`${service} has no fault ${JSON.stringify(unknown.kind)}`, {
    hint: suggestion(unknown.kind, known) ?? `it has ${known.join(', ')}`,
  })
}
