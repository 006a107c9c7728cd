import { UserError } from '../core/errors.ts'
import type { JsonObject } from '../core/event.ts'
import { isInside } from '../core/time-range.ts'
import { streamedShape } from './infisical/streamed.ts'
import { SANDBOXES } from './registry.ts'
import type { SandboxOptions, SandboxService } from './service.ts'

export type StartedSandbox = {
  readonly services: Readonly<Record<string, SandboxService>>
  /** A whole configuration file. */
  readonly config: JsonObject
  readonly urls: Readonly<Record<string, string>>
  /** False when the receivers were left empty because they would have had to hold too much. */
  readonly preloaded: boolean
  close(): Promise<void>
}

/** Receivers keep their rows in memory, about 3 kB each. */
const MOST_PRELOADED = 250_000

/**
 * Infisical and the named receivers on loopback. Each receiver holds what the product would have streamed: every event but those inside
 * `drop`; or nothing, when more than 250,000 events were asked for without a `drop`, since then the source is what is being tried.
 * @throws UserError for a service that there is no sandbox of
 */
export async function startSandbox(
  options: SandboxOptions & { readonly services: readonly string[] },
): Promise<StartedSandbox> {
  const services: Record<string, SandboxService> = {}
  const close = async (): Promise<void> => {
    for (const service of Object.values(services)) await service.close()
  }
  let port = options.port ?? 0
  try {
    for (const name of new Set(['infisical', ...options.services])) {
      const load = SANDBOXES[name]
      if (load === undefined) {
        throw new UserError(`there is no sandbox of ${JSON.stringify(name)}`, {
          hint: `there are ${Object.keys(SANDBOXES).join(', ')}`,
        })
      }
      const start = await load()
      const service = await start({ ...options, port })
      services[name] = service
      if (port > 0)
        port = 1 + Math.max(...Object.values(service.urls).map((url) => Number(new URL(url).port)))
    }
    const source = services['infisical']
    const preloaded = options.drop !== undefined || (options.events ?? 0) <= MOST_PRELOADED
    for (const service of preloaded ? Object.values(services) : []) {
      if (source?.events !== undefined) service.preload?.(delivered(source.events(), options))
    }
    return { services, config: configOf(services), urls: urlsOf(services), preloaded, close }
  } catch (error) {
    await close()
    throw error
  }
}

function* delivered(events: Iterable<JsonObject>, { drop, faults }: SandboxOptions): Iterable<JsonObject> {
  const clickhouse = faults
    .list()
    .some((fault) => fault.service === 'infisical' && fault.kind === 'clickhouse')
  const store = clickhouse ? 'clickhouse' : 'postgres'
  for (const event of events) {
    if (drop !== undefined && isInside(Date.parse(String(event['createdAt'])), drop)) continue
    yield streamedShape(event, { store })
  }
}

function configOf(services: Readonly<Record<string, SandboxService>>): JsonObject {
  return {
    version: 1,
    defaultSource: 'infisical',
    sources: entriesOf(services, 'sources'),
    streams: entriesOf(services, 'streams'),
  }
}

/** Under the names the services give them; a name that is taken is followed by the service's. */
function entriesOf(
  services: Readonly<Record<string, SandboxService>>,
  kind: 'sources' | 'streams',
): JsonObject {
  const entries: Record<string, JsonObject> = {}
  for (const [service, { config }] of Object.entries(services))
    for (const [name, entry] of Object.entries(config[kind] ?? {}))
      entries[entries[name] === undefined ? name : `${name}-${service}`] = entry
  return entries
}

/** The source's controls are `admin`; those of a receiver carry its name. */
function urlsOf(services: Readonly<Record<string, SandboxService>>): Readonly<Record<string, string>> {
  const entries = Object.entries(services).flatMap(([name, service]) =>
    Object.entries(service.urls).map(
      ([key, url]) => [key === 'admin' && name !== 'infisical' ? `${name}Admin` : key, url] as const,
    ),
  )
  return Object.fromEntries(entries)
}
