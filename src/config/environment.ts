import type { Environment } from './paths.ts'
import type { SourceEntry } from './schema.ts'

/** Sources that the environment alone describes, by name. Their secrets stay references to its variables. */
export function environmentSources(env: Environment): Readonly<Record<string, SourceEntry>> {
  const infisical = infisicalSource(env)
  const scaivault = scaivaultSource(env)
  return {
    ...(infisical === undefined ? {} : { env: infisical }),
    ...(scaivault === undefined ? {} : { 'env-scaivault': scaivault }),
  }
}

/** What is missing when some, but not all, of the variables that make a source are set; for hints. */
export function missingVariables(env: Environment): string | undefined {
  const url = env['INFISICAL_API_URL'] || env['INFISICAL_DOMAIN']
  const id = env['INFISICAL_UNIVERSAL_AUTH_CLIENT_ID']
  const secret = env['INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET']
  const hasCredentials = Boolean(env['INFISICAL_TOKEN'] || (id && secret))
  if (url && !hasCredentials) {
    if (id) return 'INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET'
    return secret
      ? 'INFISICAL_UNIVERSAL_AUTH_CLIENT_ID'
      : 'INFISICAL_TOKEN, or INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET'
  }
  if (!url && hasCredentials) return 'INFISICAL_API_URL'
  if (env['SCAIVAULT_URL'] && !env['SCAIVAULT_TOKEN']) return 'SCAIVAULT_TOKEN'
  return !env['SCAIVAULT_URL'] && env['SCAIVAULT_TOKEN'] ? 'SCAIVAULT_URL' : undefined
}

function infisicalSource(env: Environment): SourceEntry | undefined {
  const named = env['INFISICAL_API_URL'] || env['INFISICAL_DOMAIN']
  if (!named) return undefined
  // Infisical's own tools write the API's path into these variables; a source is configured by its host.
  const url = named.replace(/\/+$/, '').replace(/\/api$/, '')
  if (env['INFISICAL_TOKEN']) {
    return { type: 'infisical', url, auth: { method: 'token', token: 'env:INFISICAL_TOKEN' } }
  }
  if (!env['INFISICAL_UNIVERSAL_AUTH_CLIENT_ID'] || !env['INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET']) {
    return undefined
  }
  return {
    type: 'infisical',
    url,
    auth: {
      method: 'universal-auth',
      clientId: 'env:INFISICAL_UNIVERSAL_AUTH_CLIENT_ID',
      clientSecret: 'env:INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET',
    },
  }
}

function scaivaultSource(env: Environment): SourceEntry | undefined {
  const [url, token, tenant] = [env['SCAIVAULT_URL'], env['SCAIVAULT_TOKEN'], env['SCAIVAULT_TENANT_ID']]
  if (!url || !token) return undefined
  return { type: 'scaivault', url, token: 'env:SCAIVAULT_TOKEN', ...(tenant ? { tenant } : {}) }
}
