import { checkJson } from '../../core/json-check.ts'
import { cellsOf, unguarded } from '../../storage/records/cells.ts'

const NO_KEY = new Uint8Array()

type Branch = { readonly children: Map<string, Branch>; column: number | undefined }

/**
 * Turns CSV rows back into JSON: dotted columns become nested objects, a cell that holds the text of a JSON object or array becomes that,
 * and any other cell a string, for a CSV does not say what was a number. An empty cell is null at the top level and left out below it.
 */
export class RowReader {
  readonly header: readonly string[]
  readonly #delimiter: string
  readonly #tree: Branch = branch()

  /** @param headerRow the first row of the file */
  constructor(headerRow: string, delimiter: string) {
    this.#delimiter = delimiter
    this.header = (cellsOf(headerRow, delimiter) ?? []).map((name) => unguarded(name.trim()))
    this.header.forEach((name, column) => {
      let node = this.#tree
      for (const part of name.split('.')) {
        const next = node.children.get(part) ?? branch()
        node.children.set(part, next)
        node = next
      }
      node.column = column
    })
  }

  /** The event's JSON, or undefined with the reason in `problem`. */
  json(row: string): { readonly json: string } | { readonly problem: string } {
    const cells = cellsOf(row, this.#delimiter)
    if (cells === undefined) return { problem: 'a quote in it is not closed' }
    if (cells.length !== this.header.length) {
      return { problem: `it has ${cells.length} cells, the header has ${this.header.length}` }
    }
    return { json: objectOf(this.#tree, cells, true) ?? '{}' }
  }
}

function branch(): Branch {
  return { children: new Map(), column: undefined }
}

function objectOf(node: Branch, cells: readonly string[], isTop: boolean): string | undefined {
  const members: string[] = []
  for (const [name, child] of node.children) {
    const own = child.column === undefined ? '' : (cells[child.column] ?? '')
    // A column of the same name as the others' prefix holds the whole object.
    const value =
      own !== '' ? jsonOf(own) : child.children.size > 0 ? objectOf(child, cells, false) : undefined
    if (value !== undefined) members.push(`${JSON.stringify(name)}:${value}`)
    else if (isTop && child.children.size === 0) members.push(`${JSON.stringify(name)}:null`)
  }
  return members.length === 0 ? undefined : `{${members.join(',')}}`
}

function jsonOf(cell: string): string {
  const text = unguarded(cell)
  return isJsonText(text) ? text : JSON.stringify(text)
}

function isJsonText(text: string): boolean {
  const first = text.charCodeAt(0)
  if ((first !== 0x7b && first !== 0x5b) || /[\r\n]/.test(text)) return false
  const bytes = Buffer.from(`${text}\n`)
  return checkJson(bytes, 0, bytes.length - 1, NO_KEY, NO_KEY) === bytes.length - 1
}
