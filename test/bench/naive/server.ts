export type Where = {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly from: string
  readonly to: string
}

/** `URL CLIENT-ID CLIENT-SECRET FROM TO …` of the command line; the rest is the caller's. */
export function whereOf(argv: readonly string[]): {
  readonly where: Where
  readonly rest: readonly string[]
} {
  const [url = '', clientId = '', clientSecret = '', from = '', to = '', ...rest] = argv.slice(2)
  return { where: { url, clientId, clientSecret, from, to }, rest }
}

export async function logIn({ url, clientId, clientSecret }: Where): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/universal-auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  })
  return ((await response.json()) as { accessToken: string }).accessToken
}

export const PAGE = 1000

export function pageUrl({ url, from, to }: Where, offset: number): string {
  const query = new URLSearchParams({ startDate: from, endDate: to, limit: `${PAGE}`, offset: `${offset}` })
  return `${url}/api/v1/organization/audit-logs?${query}`
}
