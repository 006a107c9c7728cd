import type { Check } from '../../core/check.ts'
import { AuditctlError, AuthError, ContractError, RemoteConfigError, UserError } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { DAY_MS, isoRange, isoTime, type TimeRange } from '../../core/time-range.ts'
import { excerptOf } from '../../http/reply.ts'
import { cutByDay } from '../cut-by-day.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { idPathOf, type Page, readPage } from './read-page.ts'
import type { UrlInventory, UrlSettings } from './settings.ts'

const SERVICE = 'the inventory'
const MAX_PAGES = 100_000

/** An address of the user's own that tells the ids held in a window, page by page. */
export const url = defineInventory<UrlSettings>({
  provider: 'url',
  create: (name, settings, parts) =>
    settings.inventory !== undefined && 'url' in settings.inventory
      ? createInventory(name, settings, settings.inventory, parts)
      : undefined,
})

function createInventory(
  name: string,
  settings: UrlSettings,
  inventory: UrlInventory,
  parts: InventoryParts,
): Inventory {
  const { origin } = checkedTemplate(name, inventory.url)
  const service = parts.http.service({
    service: SERVICE,
    baseUrl: origin,
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
    rate: settings.rate,
  })
  const idPath = idPathOf(inventory, settings.idField)
  let requests = 0

  async function get(address: string, signal: AbortSignal): Promise<HttpReply> {
    requests += 1
    const headers: Record<string, string> = { accept: 'application/json' }
    for (const [header, value] of Object.entries(inventory.headers ?? {})) {
      headers[header.toLowerCase()] = await value.reveal()
    }
    const reply = await service.request({
      method: 'GET',
      path: address,
      headers,
      operation: 'read the held ids',
      signal,
    })
    if (reply.status >= 200 && reply.status < 300) return reply
    const words = excerptOf(reply)
    const message = `stream ${name}: ${SERVICE} at ${origin} answered ${reply.status}${words === '' ? '' : `: ${words}`}`
    const details = { service: SERVICE, operation: 'read the held ids', status: reply.status }
    if (reply.status === 401 || reply.status === 403 || reply.status === 407) {
      throw new AuthError(message, { ...details, hint: 'check inventory.headers of the stream' })
    }
    throw new RemoteConfigError(message, {
      ...details,
      hint: 'check inventory.url of the stream: {from} and {to} stand for times such as 2026-11-20T12:00:00.000Z',
    })
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    let address = filled(inventory.url, window, undefined)
    const seen = new Set([address])
    for (let page = 1; ; page += 1) {
      let read: Page
      try {
        read = readPage(await get(address, signal), new URL(address), inventory, idPath)
      } catch (error) {
        // Smaller windows have smaller answers.
        if (error instanceof ContractError && error.code === 'too-large') return incomplete(error.message)
        throw error
      }
      if (read.rows.ids.length > 0) yield read.rows
      if (read.isPartial) return incomplete(`${SERVICE} says of itself that it is not complete`)
      if (read.next === undefined) return { exhausted: true }
      const next = 'url' in read.next ? read.next.url : filled(inventory.url, window, read.next.cursor)
      if (seen.has(next))
        return incomplete(`page ${page} of ${SERVICE} named a next page that was read before`)
      if (page >= MAX_PAGES) return incomplete(`${SERVICE} still had a next page after ${MAX_PAGES}`)
      seen.add(next)
      address = next
    }
  }

  async function test(signal: AbortSignal): Promise<readonly Check[]> {
    const check = 'inventory address'
    const now = parts.clock.now()
    try {
      const rows = ids({ from: now - DAY_MS, to: now }, { signal })
      let count = 0
      for (;;) {
        const step = await rows.next()
        if (step.done !== true) {
          count += step.value.ids.length
          continue
        }
        const { exhausted, reason = 'the answer was not whole' } = step.value
        if (!exhausted) return [{ check, state: 'failure', message: reason, hint: HINT }]
        const message = `${origin} told ${count} ids of the last 24 hours`
        return [
          count > 0
            ? { check, state: 'ok', message }
            : { check, state: 'warning', message, hint: 'a quiet day, or a wrong address or pointer' },
        ]
      }
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      const refused = error instanceof AuthError ? { refused: true as const } : {}
      return [{ check, state: 'failure', message: error.message, hint: error.hint ?? HINT, ...refused }]
    }
  }

  return {
    name,
    traits: { tellsDuplicates: true, tellsTime: false },
    // An address without a place for the window tells everything each time.
    plan: async (window) => (inventory.url.includes('{from}') ? cutByDay(window) : [window]),
    ids,
    queryText(window) {
      const { from, to } = isoRange(window)
      return {
        query: `curl -fsS '${filled(inventory.url, window, undefined).replaceAll("'", '%27')}'`,
        where: `a shell, with ${headerWords(inventory)}; then every next page`,
        feed: `save the ids, one a line, then auditctl gaps --stream ${name} --from ${from} --to ${to} --inventory held.txt --inventory-window ${from}/${to}`,
      }
    },
    test,
    queries: () => requests,
    close: async () => {},
  }
}

const HINT = 'check inventory.url, inventory.items, inventory.id and inventory.next of the stream'

const incomplete = (reason: string): InventoryEnd => ({ exhausted: false, reason })

const PLACES = /\{(?:from|to|cursor)\}/g

/** @throws UserError when it is not an http(s) URL with its host spelled out and nothing secret before it */
function checkedTemplate(name: string, template: string): URL {
  const plain = template.replace(PLACES, '0')
  const address = URL.canParse(plain) ? new URL(plain) : undefined
  const isGood =
    address !== undefined &&
    /^https?:$/.test(address.protocol) &&
    address.username === '' &&
    address.password === '' &&
    !/[{}]/.test(plain.replace(/[?#].*$/s, ''))
  if (!isGood) {
    throw new UserError(`streams.${name}.inventory.url is not an http or https address`, {
      hint: 'write it like https://siem.example/ids?from={from}&to={to}; credentials go into inventory.headers',
    })
  }
  return address
}

/** The address of a page. A cursor that the address has no place for becomes its parameter `cursor`. */
function filled(template: string, window: TimeRange, cursor: string | undefined): string {
  const address = template
    .replaceAll('{from}', encodeURIComponent(isoTime(window.from)))
    .replaceAll('{to}', encodeURIComponent(isoTime(window.to)))
    .replaceAll('{cursor}', encodeURIComponent(cursor ?? ''))
  const url = new URL(address)
  if (cursor !== undefined && !template.includes('{cursor}')) url.searchParams.set('cursor', cursor)
  return url.href
}

function headerWords({ headers }: UrlInventory): string {
  const names = Object.keys(headers ?? {})
  return names.length === 0 ? 'no headers' : `the headers ${names.join(', ')}`
}
