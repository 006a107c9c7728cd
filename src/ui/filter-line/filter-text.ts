import { UserError } from '../../core/errors.ts'
import {
  type EventFilter,
  FILTER_NAMES,
  type FilterName,
  parseWhere,
  type WhereTerm,
} from '../../core/filter.ts'
import { suggestion } from '../../core/suggest.ts'

const isFieldName = (word: string): word is Exclude<FilterName, 'event'> =>
  word !== 'event' && (FILTER_NAMES as readonly string[]).includes(word)

/**
 * The filter of a typed line: `event:get-secret actor:ada@acme.example event.metadata.environment=prod`. A bare word is an event type;
 * quotes hold blanks together.
 * @throws UserError naming the word that is none of these
 */
export function parseFilterText(text: string): EventFilter {
  const fields: Partial<Record<Exclude<FilterName, 'event'>, string>> = {}
  const events: string[] = []
  const where: WhereTerm[] = []
  for (const word of wordsOf(text)) {
    const [, name = '', value = ''] = /^([a-z-]+):(.*)$/s.exec(word) ?? []
    if (name === 'event' || name === 'action') events.push(...value.split(',').filter((type) => type !== ''))
    else if (isFieldName(name)) {
      if (value === '') throw new UserError(`${name}: needs a value`, { hint: `write it like ${name}:VALUE` })
      fields[name] = value
    } else if (/[=!~<>]/.test(word)) where.push(parseWhere(word))
    else if (/^[\w.-]+$/.test(word)) events.push(word)
    else
      throw new UserError(`${word} is not a filter`, {
        hint: suggestion(name, FILTER_NAMES) ?? 'write event:TYPE, actor:WHO or a.b=c',
      })
  }
  return { fields, events, where }
}

/** The line that gives the filter again. */
export function filterTextOf({ fields, events, where }: EventFilter): string {
  return [
    ...(events.length === 0 ? [] : [`event:${events.join(',')}`]),
    ...Object.entries(fields).map(([name, value]) => `${name}:${value}`),
    ...where.map(({ path, operator, value }) => `${path.join('.')}${operator}${value}`),
  ]
    .map(quoted)
    .join(' ')
}

function quoted(word: string): string {
  return /[\s"]/.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word
}

function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:"((?:[^"\\]|\\.)*)"|(\S))+/gs)].map(([word]) =>
    word.replaceAll(/"((?:[^"\\]|\\.)*)"/gs, (_, inner: string) => inner.replaceAll('\\"', '"')),
  )
}

export type Vocabulary = {
  readonly filterNames: readonly FilterName[]
  readonly types: readonly string[]
  readonly actors: readonly string[]
}

/** What the word at the caret may become: names of filters, event types and actors. `from`: where that word begins. */
export function completionsOf(
  text: string,
  caret: number,
  vocabulary: Vocabulary,
): { readonly from: number; readonly words: readonly string[] } {
  const start = text.slice(0, caret).replace(/(?:"(?:[^"\\]|\\.)*"?|\S)*$/s, '').length
  const word = text.slice(start, caret)
  const [, name, value = ''] = /^([a-z-]+):(.*)$/s.exec(word) ?? []
  if (name === undefined) {
    const names = vocabulary.filterNames.map((filter) => `${filter}:`)
    const types = word === '' ? [] : vocabulary.types.map((type) => `event:${type}`)
    const byName = matching(names, word)
    return {
      from: start,
      words: [...byName, ...types.filter((type) => type.slice(6).includes(word.toLowerCase()))],
    }
  }
  if (name === 'event' || name === 'action') {
    const from = start + name.length + 1 + value.lastIndexOf(',') + 1
    return { from, words: matching(vocabulary.types, text.slice(from, caret)) }
  }
  if (name !== 'actor') return { from: caret, words: [] }
  return {
    from: start,
    words: matching(vocabulary.actors, value.replaceAll('"', '')).map((actor) => quoted(`actor:${actor}`)),
  }
}

/** Those that begin so first, then those that hold it. */
function matching(words: readonly string[], typed: string): readonly string[] {
  const wanted = typed.toLowerCase()
  const begins = words.filter((word) => word.toLowerCase().startsWith(wanted))
  const holds = words.filter((word) => !begins.includes(word) && word.toLowerCase().includes(wanted))
  return [...begins, ...holds].filter((word) => word !== typed)
}
