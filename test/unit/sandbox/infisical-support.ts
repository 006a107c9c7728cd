import { faultPlan } from '../../../src/sandbox/faults.ts'
import type { NativeEvent } from '../../../src/sandbox/infisical/event-set.ts'
import { startInfisical } from '../../../src/sandbox/infisical/index.ts'
import type { SandboxOptions, SandboxService } from '../../../src/sandbox/service.ts'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

export type Issue = { readonly path: readonly string[]; readonly message: string; readonly code: string }

export type Asked = {
  readonly service: SandboxService
  /** Moves the emulator's clock. */
  advance(ms: number): void
  now(): number
  list(
    query: Readonly<Record<string, string | number>> | string,
    options?: { readonly token?: string },
  ): Promise<Answer>
  /** The page's events; throws for any other status. */
  page(query: Readonly<Record<string, string | number>>): Promise<readonly NativeEvent[]>
  login(clientId?: string, clientSecret?: string): Promise<Answer>
  get(path: string): Promise<Answer>
  admin(path: string, body?: unknown, type?: string): Promise<Answer>
  tokenOf(role: string): string
  rules(): readonly string[]
}

/** The recorded events end at 12:45:41.528; the clock stands ten minutes later. */
export const RECORDED_NOW = Date.parse('2026-11-20T12:55:41.528Z')

type Identity = {
  readonly role: string
  readonly clientId: string
  readonly clientSecret: string
  readonly token: string
}

/** An emulator on a clock of its own, and an administrator's token to talk to it; `run` gets it, and it is closed afterwards. */
export async function withInfisical(
  options: Partial<Omit<SandboxOptions, 'faults' | 'now'>> & {
    readonly faults?: readonly string[]
    readonly now?: number
  },
  run: (asked: Asked) => Promise<void>,
): Promise<void> {
  let now = options.now ?? RECORDED_NOW
  const service = await startInfisical({
    seed: 1,
    generation: '2026',
    recent: false,
    ...options,
    faults: faultPlan(options.faults),
    now: () => now,
  })
  try {
    const url = service.urls['infisical'] ?? ''
    const call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
      const response = await fetch(path.startsWith('http') ? path : url + path, init)
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: parsed(text) }
    }
    const admin: Asked['admin'] = (path, body, type = 'application/json') =>
      call(
        `${service.urls['admin']}/${path}`,
        body === undefined
          ? {}
          : {
              method: 'POST',
              headers: { 'content-type': type },
              body: typeof body === 'string' ? body : JSON.stringify(body),
            },
      )
    const { identities } = (await admin('state')).body as { identities: readonly Identity[] }
    const of = (role: string): Identity => {
      const identity = identities.find((one) => one.role === role)
      if (identity === undefined) throw new Error(`no identity ${role}`)
      return identity
    }
    const list: Asked['list'] = (query, { token = of('reader').token } = {}) => {
      const words =
        typeof query === 'string'
          ? query
          : new URLSearchParams(
              Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]),
            )
      return call(`/api/v1/organization/audit-logs?${words}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    }
    await run({
      service,
      advance: (ms) => {
        now += ms
      },
      now: () => now,
      list,
      async page(query) {
        const answer = await list(query)
        if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
        return (answer.body as { auditLogs: readonly NativeEvent[] }).auditLogs
      },
      login: (clientId = of('reader').clientId, clientSecret = of('reader').clientSecret) =>
        call('/api/v1/auth/universal-auth/login', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ clientId, clientSecret }),
        }),
      get: (path) => call(path, { headers: { authorization: `Bearer ${of('reader').token}` } }),
      admin,
      tokenOf: (role) => of(role).token,
      rules: () => service.violations.map((violation) => violation.rule),
    })
  } finally {
    await service.close()
  }
}

export const iso = (ms: number): string => new Date(ms).toISOString()

export const idsOf = (events: readonly NativeEvent[]): readonly string[] => events.map((event) => event.id)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
