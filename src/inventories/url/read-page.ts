import { ContractError } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import type { HeldRows } from '../../core/inventory.ts'
import { nextLink, sameOrigin } from '../../http/next-link.ts'
import { heldRow } from '../held-row.ts'
import { atPointer, pointerPath } from './pointer.ts'
import type { UrlInventory } from './settings.ts'

export type Page = {
  readonly rows: HeldRows
  /** Where the page after this one is: its address, or a cursor to be put into ours. */
  readonly next: { readonly url: string } | { readonly cursor: string } | undefined
  /** Says of itself that it leaves something out. */
  readonly isPartial: boolean
}

/** @throws ContractError for a body that is not what the pointers say, naming what stands there */
export function readPage(
  reply: HttpReply,
  pageUrl: URL,
  settings: UrlInventory,
  idPath: readonly string[],
): Page {
  const body = reply.json()
  const pointer = settings.items ?? ''
  const items = atPointer(body, pointer)
  if (!Array.isArray(items)) {
    const where = pointer === '' ? 'the whole answer' : `${JSON.stringify(pointer)} of the answer`
    throw new ContractError(
      `the inventory at ${pageUrl.origin} was asked for rows, and ${where} is ${kindOf(items)} instead of a list`,
      { hint: 'name the place of the rows in inventory.items, a JSON pointer such as /items' },
    )
  }
  const next = nextOf(body, settings, pageUrl) ?? linkOf(reply, pageUrl)
  return {
    rows: rowsOf(items, idPath, pageUrl, settings),
    next,
    isPartial: next === undefined && atPointer(body, '/complete') === false,
  }
}

function rowsOf(
  items: readonly unknown[],
  idPath: readonly string[],
  pageUrl: URL,
  settings: UrlInventory,
): HeldRows {
  const ids: string[] = []
  const atMs: number[] = []
  for (const [i, item] of items.entries()) {
    const row = heldRow(item, idPath)
    if (row === 'ping') continue
    if (row === undefined) {
      throw new ContractError(
        `row ${i} of the inventory at ${pageUrl.origin} has no id at ${settings.id ?? '/id'}`,
        {
          hint: 'name the place of the id in a row in inventory.id, a JSON pointer such as /event/id',
        },
      )
    }
    ids.push(row.id)
    atMs.push(row.atMs)
  }
  return { ids, atMs }
}

/** A link, unless the address has a place for a cursor or the text does not look like one. */
function nextOf(body: unknown, settings: UrlInventory, pageUrl: URL): Page['next'] {
  const next = atPointer(body, settings.next ?? '/next')
  if (next === undefined || next === null) return undefined
  if (typeof next === 'number') return { cursor: String(next) }
  if (typeof next !== 'string' || next === '') {
    throw new ContractError(
      `the inventory at ${pageUrl.origin} named a next page that cannot be followed: ${JSON.stringify(next)}`,
      { hint: 'its answer is whole when next is absent or null' },
    )
  }
  if (/^https?:\/\//i.test(next)) return { url: sameOrigin(next, pageUrl) }
  if (settings.url.includes('{cursor}')) return { cursor: next }
  return /^[/?.]|\?/.test(next) ? { url: sameOrigin(next, pageUrl) } : { cursor: next }
}

function linkOf(reply: HttpReply, pageUrl: URL): Page['next'] {
  const url = nextLink(reply.headers['link'], pageUrl)
  return url === undefined ? undefined : { url }
}

/** Where the id stands in a row: the inventory's own setting, else the stream's. */
export function idPathOf(settings: UrlInventory, idField: string | undefined): readonly string[] {
  if (settings.id !== undefined) return pointerPath(settings.id)
  if (idField === undefined) return ['id']
  return idField.startsWith('/') ? pointerPath(idField) : idField.split('.')
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `of the kind ${typeof value}`
}
