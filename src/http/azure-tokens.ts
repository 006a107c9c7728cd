import { AuditctlError, AuthError, UserError } from '../core/errors.ts'
import type { HttpClient, TlsSettings } from '../core/http.ts'
import type { Clock } from '../core/runtime.ts'
import { redact, registerSecret, type Secret } from '../core/secret.ts'
import { MINUTE_MS } from '../core/time-range.ts'
import { type EntraTokens, entraTokens } from './entra.ts'

/** Where credentials come from that are no client secret: each is a class of `@azure/identity`. */
export type AzureIdentity = 'default' | 'managed-identity' | 'workload-identity' | 'certificate' | 'azure-cli'

export type AzureCredentials = {
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Secret | undefined
  readonly credential?: AzureIdentity | undefined
  readonly certificateFile?: string | undefined
  readonly authorityUrl?: string | undefined
  /** The ingestion endpoint; its domain tells the cloud. */
  readonly endpoint: string
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
}

export type AzureCloud = {
  readonly loginUrl: string
  readonly ingestScope: string
  readonly queryScope: string
  readonly queryUrl: string
}

/** @source MicrosoftDocs/azure-monitor-docs, articles/azure-monitor/logs/api/access-api.md; hosts outside the public cloud are unconfirmed */
const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  com: {
    loginUrl: 'https://login.microsoftonline.com',
    ingestScope: 'https://monitor.azure.com/.default',
    queryScope: 'https://api.loganalytics.io/.default',
    queryUrl: 'https://api.loganalytics.azure.com',
  },
  us: {
    loginUrl: 'https://login.microsoftonline.us',
    ingestScope: 'https://monitor.azure.us/.default',
    queryScope: 'https://api.loganalytics.us/.default',
    queryUrl: 'https://api.loganalytics.us',
  },
  cn: {
    loginUrl: 'https://login.partner.microsoftonline.cn',
    ingestScope: 'https://monitor.azure.cn/.default',
    queryScope: 'https://api.loganalytics.azure.cn/.default',
    queryUrl: 'https://api.loganalytics.azure.cn',
  },
}

/** The cloud an ingestion endpoint belongs to; the public one for any other address. */
export function azureCloud(endpoint: string): AzureCloud {
  const domain = /\.azure\.(us|cn)$/.exec(new URL(endpoint).hostname)?.[1] ?? 'com'
  return CLOUDS[domain] as AzureCloud
}

/** Bearer tokens by client secret, or by whatever `@azure/identity` finds where there is none. */
export function azureTokens(
  credentials: AzureCredentials,
  parts: { readonly http: HttpClient; readonly clock: Clock },
): EntraTokens {
  const { tenantId, clientId, clientSecret } = credentials
  if (clientSecret === undefined || tenantId === undefined || clientId === undefined) {
    return identityTokens(credentials, parts.clock)
  }
  const authorityUrl = (credentials.authorityUrl ?? azureCloud(credentials.endpoint).loginUrl).replace(
    /\/+$/,
    '',
  )
  const authority = parts.http.service({
    service: 'Microsoft Entra',
    baseUrl: authorityUrl,
    tls: credentials.tls,
    allowInsecureHttp: credentials.allowInsecureHttp,
  })
  return entraTokens({
    authority,
    authorityUrl,
    clock: parts.clock,
    tenant: tenantId,
    clientId,
    clientSecret,
  })
}

type IdentityCredential = {
  getToken(
    scope: string,
    options: { readonly abortSignal: AbortSignal },
  ): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>
}
type IdentityModule = Readonly<Record<string, new (...settings: readonly unknown[]) => IdentityCredential>>

const PACKAGE: string = '@azure/identity'
const EARLY_MS = 5 * MINUTE_MS

function identityTokens(credentials: AzureCredentials, clock: Clock): EntraTokens {
  const tokens = new Map<string, { readonly value: string; readonly expiresAt: number }>()
  let credential: Promise<IdentityCredential> | undefined
  return {
    async token(scope, signal) {
      const known = tokens.get(scope)
      if (known !== undefined && clock.now() < known.expiresAt - EARLY_MS) return known.value
      credential ??= loadIdentity().then((identity) => createCredential(identity, credentials))
      try {
        const found = await (await credential).getToken(scope, { abortSignal: signal })
        if (found === null) throw new Error('it gave no token')
        registerSecret(found.token)
        tokens.set(scope, { value: found.token, expiresAt: found.expiresOnTimestamp })
        return found.token
      } catch (cause) {
        signal.throwIfAborted()
        if (cause instanceof AuditctlError) throw cause
        const said = redact(cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause))
        throw new AuthError(`${PACKAGE} found no Azure credentials: ${said}`, {
          cause,
          service: 'Microsoft Entra',
          hint: 'sign in (az login), give the machine an identity, or set tenantId, clientId and clientSecret',
        })
      }
    },
    forget: (scope) => {
      tokens.delete(scope)
    },
  }
}

async function loadIdentity(): Promise<IdentityModule> {
  try {
    return (await import(PACKAGE)) as IdentityModule
  } catch (cause) {
    throw new UserError(
      `an Azure stream without clientSecret needs the package ${PACKAGE}, which is not installed`,
      {
        cause,
        hint: `npm install ${PACKAGE} (with --global where auditctl is installed globally), or set tenantId, clientId and clientSecret`,
        code: 'missing-package',
      },
    )
  }
}

function createCredential(identity: IdentityModule, credentials: AzureCredentials): IdentityCredential {
  const { tenantId, clientId } = credentials
  const common = {
    ...(tenantId === undefined ? {} : { tenantId }),
    authorityHost: credentials.authorityUrl ?? azureCloud(credentials.endpoint).loginUrl,
  }
  const own = { ...common, ...(clientId === undefined ? {} : { clientId }) }
  const make = (name: string, ...settings: readonly unknown[]): IdentityCredential => {
    const Credential = identity[name]
    if (Credential === undefined) throw new UserError(`this version of ${PACKAGE} has no ${name}`)
    return new Credential(...settings)
  }
  switch (credentials.credential ?? 'default') {
    case 'managed-identity':
      return make('ManagedIdentityCredential', clientId === undefined ? {} : { clientId })
    case 'workload-identity':
      return make('WorkloadIdentityCredential', own)
    case 'certificate':
      return make('ClientCertificateCredential', tenantId, clientId, credentials.certificateFile, common)
    case 'azure-cli':
      return make('AzureCliCredential', tenantId === undefined ? {} : { tenantId })
    case 'default':
      return make('DefaultAzureCredential', {
        ...common,
        ...(clientId === undefined
          ? {}
          : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
      })
  }
}
