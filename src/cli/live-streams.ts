import { AuthError, ContractError, RemoteConfigError, UserError } from '../core/errors.ts'
import type { JsonObject } from '../core/event.ts'
import type { HttpReply } from '../core/http.ts'
import { registerSecret } from '../core/secret.ts'
import { problemOf, saying } from '../sources/infisical/problem.ts'
import { type Auth, Session } from '../sources/infisical/session.ts'
import type { LiveStream } from './live-stream-settings.ts'
import type { Runtime } from './runtime.ts'
import type { Settings } from './settings.ts'

const PATH = '/api/v1/audit-log-streams'
const OPERATION = 'read the audit log streams'

type InfisicalOptions = {
  readonly url: string
  readonly auth: Auth
  readonly tls?: { readonly caFile?: string | undefined } | undefined
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}

/**
 * The streams that the organization of an Infisical source has, secrets masked; an older release tells its headers in full.
 * @source backend/src/ee/routes/v1/audit-log-stream-routers of Infisical/infisical
 * @throws AuthError without the permission to read the organization's settings
 */
export async function liveStreams(
  source: string,
  settings: Settings,
  runtime: Pick<Runtime, 'http' | 'signal'>,
): Promise<readonly LiveStream[]> {
  const { definition, options } = await settings.sourceSettings(source)
  if (definition.type !== 'infisical') {
    throw new UserError(
      `stream import reads the streams of Infisical, and ${source} is ${definition.title}`,
      {
        hint: 'auditctl stream add configures a stream by hand',
      },
    )
  }
  const { url, auth, tls, allowInsecureHttp, rate } = options as InfisicalOptions
  const baseUrl = url.replace(/\/+$/, '').replace(/\/api$/, '')
  const http = (await runtime.http()).service({
    service: 'Infisical',
    baseUrl,
    tls,
    allowInsecureHttp,
    rate,
  })
  const session = new Session(http, auth, baseUrl)
  const get = async (path: string): Promise<JsonObject> => {
    const reply = await session.get({ path, operation: OPERATION, signal: runtime.signal })
    if (reply.status !== 200) throw refusal(reply)
    return objectOf(reply.json())
  }
  const { auditLogStreams: list } = await get(PATH)
  if (!Array.isArray(list)) {
    throw new ContractError(`Could not ${OPERATION}: the reply has no auditLogStreams`, {
      service: 'Infisical',
      hint: 'check the URL of the source',
    })
  }
  const streams: LiveStream[] = []
  for (const item of list.map(objectOf)) {
    const id = textOf(item['id'])
    const provider = textOf(item['provider'])
    if (provider === '')
      streams.push(olderStream(id, objectOf((await get(`${PATH}/${id}`))['auditLogStream'])))
    else {
      const whole =
        item['credentials'] === undefined
          ? objectOf((await get(`${PATH}/${provider}/${id}`))['auditLogStream'])
          : item
      streams.push(newerStream(id, provider, whole))
    }
  }
  return streams
}

function newerStream(id: string, provider: string, record: JsonObject): LiveStream {
  const { products } = objectOf(record['filters'])
  return {
    id,
    provider,
    credentials: objectOf(record['credentials']),
    streamMode: textOf(record['streamMode']) || undefined,
    products: Array.isArray(products) ? products.map(String) : [],
    showsSecrets: false,
  }
}

/** Before there were providers: one address, its headers, and an event at a time. */
function olderStream(id: string, record: JsonObject): LiveStream {
  const { headers } = record
  for (const header of Array.isArray(headers) ? headers : [])
    registerSecret(textOf(objectOf(header)['value']))
  const credentials = { url: record['url'], headers }
  return { id, provider: 'custom', credentials, streamMode: 'single', products: [], showsSecrets: true }
}

function refusal(reply: HttpReply): Error {
  const problem = problemOf(reply)
  const said = saying(reply, problem)
  const details = { service: 'Infisical', status: reply.status, requestId: problem.requestId }
  if (reply.status === 403) {
    const hint = 'it needs the organization permission read on settings; reading the audit log is another one'
    return new AuthError(`Infisical does not let this identity read its streams ${said}`, {
      ...details,
      hint,
    })
  }
  return new RemoteConfigError(`Infisical has no audit log streams at this address ${said}`, {
    ...details,
    hint: 'check the URL of the source; very old releases and some plans have no streams',
  })
}

function objectOf(value: unknown): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
