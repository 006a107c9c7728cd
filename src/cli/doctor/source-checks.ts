import type { Check } from '../../core/check.ts'
import type { HttpClient } from '../../core/http.ts'
import type { Clock, Log } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import type { Settings } from '../settings.ts'
import { examine } from './examine.ts'
import { keptChecks } from './kept-checks.ts'
import { secretChecks } from './secret-checks.ts'

export type DoctorParts = {
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly settings: Settings
  readonly scratch: () => Promise<string>
  readonly stdin: NodeJS.ReadStream
}

/** One source, from its secrets to its newest event. `source` is open, for pairing it with streams; undefined where it could not be opened. */
export async function sourceChecks(
  name: string,
  parts: DoctorParts,
): Promise<{ readonly checks: readonly Check[]; readonly source: AuditSource | undefined }> {
  const { settings, clock, signal } = parts
  const subject = `source ${name}`
  // Standard input can be read once only, and belongs to the command that is meant to.
  if (settings.sourceEntry(name)['path'] === '-') {
    const message = 'it reads standard input, which is not looked at'
    return { checks: [{ check: subject, state: 'ok', message }], source: undefined }
  }
  let source: AuditSource | undefined
  const opening = await examine(subject, async () => {
    const { options } = await settings.sourceSettings(name)
    const secrets = await secretChecks(options)
    if (secrets.some(isFailure)) return secrets
    source = await settings.openSource(name, { ...parts, strict: false })
    return secrets
  })
  const opened = source as AuditSource | undefined
  if (opened === undefined) return { checks: opening, source: undefined }
  // The clock is told for every far side alike, by what was seen on the way.
  const tested = await examine(subject, async () =>
    (await opened.test(signal)).filter(({ check }) => check !== 'clock'),
  )
  const isServer = opened.shape.type !== 'circleci' && settings.sourceEntry(name).type !== 'file'
  const kept =
    isServer && !tested.some(isFailure)
      ? await examine(subject, () => keptChecks(opened, { clock, signal }))
      : []
  return { checks: [...opening, ...tested, ...kept], source: opened }
}

function isFailure({ state }: Check): boolean {
  return state === 'failure'
}
