import type { Entry } from '../config/schema.ts'
import type { JsonObject } from '../core/event.ts'
import { isLoopbackHost } from '../http/address.ts'

/** A stream as the product's own API tells it, newer and older releases alike. */
export type LiveStream = {
  readonly id: string
  readonly provider: string
  readonly credentials: JsonObject
  readonly streamMode: string | undefined
  readonly products: readonly string[]
  /** Header values come as they are; newer releases mask them. */
  readonly showsSecrets: boolean
}

/** Our settings for one, the dotted keys of the secrets that it does not tell, and what cannot be carried over. */
export type Mapped = {
  readonly entry: Entry
  readonly secrets: readonly (readonly string[])[]
  readonly remarks: readonly string[]
}

/** Our settings for a live stream; undefined for a provider that is not known. */
export function mapLiveStream(stream: LiveStream): Mapped | undefined {
  const mapped = PROVIDERS[stream.provider]?.(stream)
  if (mapped === undefined) return undefined
  const { products } = stream
  const insecure = insecureUrl(mapped.entry)
  return {
    entry: {
      provider: stream.provider,
      ...mapped.entry,
      ...(products.length > 0 ? { filters: { products } } : {}),
    },
    secrets: mapped.secrets,
    remarks: [
      ...mapped.remarks,
      ...(insecure === undefined
        ? []
        : [`${insecure} is not encrypted: set allowInsecureHttp=true if the network in between is yours`]),
    ],
  }
}

const PROVIDERS: Readonly<Record<string, (stream: LiveStream) => Mapped>> = {
  splunk({ credentials }) {
    const [host, port] = [text(credentials, 'hostname'), credentials['port'] ?? 8088]
    return {
      entry: { url: `https://${host}:${port}` },
      secrets: [['token']],
      remarks: [
        'the live stream names no index, so the token’s default one is used; searching needs search.url, search.token and search.index',
        'host: the live stream sends the host of the server’s SITE_URL; set it with --set host=…',
      ],
    }
  },
  datadog({ credentials }) {
    const url = text(credentials, 'url')
    const site = /^https:\/\/http-intake\.logs\.([a-z0-9.-]+)\/api\/v2\/logs\/?$/i.exec(url)?.[1]
    return {
      entry: site === undefined ? { intakeUrl: url.replace(/\/api\/v2\/logs\/?$/, '') } : { site },
      secrets: [['apiKey']],
      remarks: [
        'searching needs appKey',
        'host: the live stream sends the host name of the server’s SITE_URL; set it with --set host=…',
      ],
    }
  },
  azure: ({ credentials }) => ({
    entry: {
      tenantId: text(credentials, 'tenantId'),
      clientId: text(credentials, 'clientId'),
      endpoint: text(credentials, 'dceUrl').replace(/\/+$/, ''),
      ruleId: text(credentials, 'dcrId'),
      table: text(credentials, 'cltName'),
    },
    secrets: [['clientSecret']],
    remarks: ['searching needs workspaceId; late events need timeColumn'],
  }),
  cribl: ({ credentials, streamMode }) => ({
    entry: { url: text(credentials, 'url'), ...modeOf(streamMode) },
    secrets: [['token']],
    remarks: [],
  }),
  custom({ credentials, streamMode, showsSecrets }) {
    const headers = headersOf(credentials)
    const known = showsSecrets ? headers.filter(([, value]) => !isMasked(value)) : []
    return {
      entry: {
        url: text(credentials, 'url'),
        ...(known.length > 0 ? { headers: Object.fromEntries(known) } : {}),
        ...modeOf(streamMode),
      },
      secrets: headers.filter((header) => !known.includes(header)).map(([key]) => ['headers', key]),
      remarks: [],
    }
  },
  'sumo-logic': ({ credentials }) => {
    const url = text(credentials, 'url')
    return {
      // Whoever knows the address may send, and yet it is shown.
      entry: isMasked(url) ? {} : { url },
      secrets: [
        ...(isMasked(url) ? [['url']] : []),
        ...(text(credentials, 'token') === '' ? [] : [['token']]),
      ],
      remarks: isMasked(url)
        ? []
        : ['its url is a secret and is written as it is: better put it behind env: or file:'],
    }
  },
}

/** Whether a value is the product's mask rather than a value. */
export function isMasked(value: string): boolean {
  return /^\*+$|\*{6}/.test(value) || /^[[<(]?redacted[\])>]?$/i.test(value)
}

/** A name for a variable that may hold the secret: `CUSTOM_AUTHORIZATION`. */
export function variableFor(name: string, path: readonly string[]): string {
  const own = path[0] === 'headers' ? path.slice(1) : path
  return [name, ...own]
    .join('_')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
    .replace(/^(\d)/, '_$1')
}

function modeOf(streamMode: string | undefined): Entry {
  return streamMode === 'single' || streamMode === 'batch' ? { mode: streamMode } : {}
}

function headersOf(credentials: JsonObject): [string, string][] {
  const { headers } = credentials
  if (!Array.isArray(headers)) return []
  return headers.flatMap((header: unknown): [string, string][] => {
    const key = text(header, 'key')
    return key === '' ? [] : [[key, text(header, 'value')]]
  })
}

function text(value: unknown, key: string): string {
  const found = value !== null && typeof value === 'object' ? (value as JsonObject)[key] : undefined
  return typeof found === 'string' ? found : ''
}

function insecureUrl(entry: Entry): string | undefined {
  const url = [entry['url'], entry['intakeUrl'], entry['endpoint']].find((value) => typeof value === 'string')
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined
  const { protocol, hostname, origin } = new URL(url)
  return protocol === 'http:' && !isLoopbackHost(hostname) ? origin : undefined
}
