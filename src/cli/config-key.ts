import type * as schemas from '../config/schema.ts'
import { UserError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'
import type { EntryKind } from './entry-actions.ts'
import { SOURCE_KIND, STREAM_KIND } from './entry-actions.ts'

/** A dotted key of the configuration, taken apart. */
export type ConfigKey =
  | { readonly kind: 'top'; readonly name: 'version' | 'defaultSource' }
  | { readonly kind: 'section'; readonly entry: EntryKind }
  | {
      readonly kind: 'entry'
      readonly entry: EntryKind
      readonly name: string
      /** Inside the entry; empty for the entry itself. */
      readonly path: readonly string[]
    }

/**
 * Takes a key such as `sources.prod.auth.method` apart. An entry's name may hold dots itself: the longest configured one that fits is meant.
 * @throws UserError with a suggestion for a key that the file cannot have
 */
export function parseKey(key: string, config: schemas.Config): ConfigKey {
  if (key === 'version' || key === 'defaultSource') return { kind: 'top', name: key }
  const [section = '', ...rest] = key.split('.')
  const entry = [SOURCE_KIND, STREAM_KIND].find((kind) => kind.section === section)
  if (entry === undefined) {
    throw new UserError(`${JSON.stringify(key)} is not a key of the configuration`, {
      code: 'unknown-key',
      hint: suggestion(section, ['version', 'defaultSource', 'sources', 'streams']),
    })
  }
  if (rest.length === 0) return { kind: 'section', entry }
  for (let length = rest.length; length > 0; length -= 1) {
    const name = rest.slice(0, length).join('.')
    if (Object.hasOwn(config[entry.section], name)) {
      return { kind: 'entry', entry, name, path: rest.slice(length) }
    }
  }
  const [name = '', ...path] = rest
  return { kind: 'entry', entry, name, path }
}
