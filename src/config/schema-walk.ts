import type * as z from 'zod'
import { FIELD_MARKS } from './fields.ts'

type Schema = z.core.$ZodType

/** What checks the settings of one type; rooms without zod hold it by this name. */
export type EntrySchema = z.ZodType

type Path = readonly PropertyKey[]

/** What stands at a path of a parsed JSON value; undefined where nothing does. */
export function valueAtPath(value: unknown, path: Path): unknown {
  let found = value
  for (const key of path) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<PropertyKey, unknown>)[key]
  }
  return found
}

/** Every schema that may judge the value at a path: one for each branch of a union that leads there. */
export function schemasAt(schema: Schema, path: Path, value?: unknown): readonly Schema[] {
  const [key, ...rest] = path
  if (key === undefined) return [schema]
  return branches(schema, value).flatMap((branch) => {
    const def = (branch as z.core.$ZodTypes)._zod.def
    const inner = childOf(def, key)
    return inner === undefined ? [] : schemasAt(inner, rest, valueAtPath(value, [key]))
  })
}

/** Whether a credential stands at the path, by any branch of the schema. */
export function isSecretAt(schema: Schema, path: Path): boolean {
  return schemasAt(schema, path).some((found) => markOf(found) === 'secret')
}

/** Whether a credential stands at the path or below it: a text found there may be one in the wrong place. */
export function holdsSecret(schema: Schema, path: Path): boolean {
  return schemasAt(schema, path).some((found) => secretPaths(found).length > 0)
}

/** Whether a duration such as `20m` stands at the path. */
export function isDurationAt(schema: Schema, path: Path): boolean {
  return schemasAt(schema, path).some((found) => markOf(found) === 'duration')
}

/** The keys an object at the path may have; with a value, those of the union's branch that the value has chosen. */
export function keysAt(schema: Schema, path: Path, value?: unknown): readonly string[] {
  const keys = schemasAt(schema, path, value)
    .flatMap((found) => branches(found, valueAtPath(value, path)))
    .flatMap((branch) => {
      const def = (branch as z.core.$ZodTypes)._zod.def
      return def.type === 'object' ? Object.keys(def.shape) : []
    })
  return [...new Set(keys)]
}

/** What a person can be asked for at the path: one of the choices, or a value of the named kind. */
export function choicesAt(schema: Schema, path: Path, value?: unknown): readonly string[] | undefined {
  const found = schemasAt(schema, path, value).flatMap((at) => branches(at))
  const texts = found.flatMap((branch) => {
    const def = (branch as z.core.$ZodTypes)._zod.def
    if (def.type === 'enum') return Object.values(def.entries).map(String)
    return def.type === 'literal' ? def.values.map(String) : []
  })
  return texts.length === 0 ? undefined : [...new Set(texts)]
}

/** The key that tells the branches of a union at the path apart; undefined where there is no such union. */
export function discriminatorAt(schema: Schema, path: Path): string | undefined {
  for (const found of schemasAt(schema, path)) {
    const def = (unwrap(found) as z.core.$ZodTypes)._zod.def
    if (def.type === 'union' && 'discriminator' in def) return String(def.discriminator)
  }
  return undefined
}

export type Default = {
  readonly path: readonly string[]
  readonly value: unknown
  readonly isDuration: boolean
}

/** The defaults that hold where an entry says nothing. */
export function defaultsOf(schema: Schema, entry: unknown): readonly Default[] {
  return keysAt(schema, [], entry).flatMap((key) => {
    const given = valueAtPath(entry, [key])
    const inside = schemasAt(schema, [key], entry)
    if (given !== undefined && (given === null || typeof given !== 'object')) return []
    if (given !== undefined) {
      return inside.flatMap((inner) =>
        defaultsOf(inner, given).map((found) => ({ ...found, path: [key, ...found.path] })),
      )
    }
    return inside.flatMap((inner) => {
      const def = (inner as z.core.$ZodTypes)._zod.def
      if (def.type !== 'default' && def.type !== 'prefault') return []
      return [{ path: [key], value: def.defaultValue, isDuration: markOf(inner) === 'duration' }]
    })
  })
}

/** Every dotted path at which the schema knows a credential, records as `*`. */
export function secretPaths(schema: Schema, value?: unknown): readonly string[] {
  return [...new Set(collect(schema, [], value))]
}

function collect(schema: Schema, path: readonly string[], value: unknown): string[] {
  if (markOf(schema) === 'secret') return [path.join('.')]
  return branches(schema, value).flatMap((branch) => {
    const def = (branch as z.core.$ZodTypes)._zod.def
    if (def.type === 'record') return collect(def.valueType, [...path, '*'], undefined)
    if (def.type !== 'object') return []
    return Object.entries(def.shape).flatMap(([key, inner]) =>
      collect(inner, [...path, key], valueAtPath(value, [key])),
    )
  })
}

function childOf(def: z.core.$ZodTypes['_zod']['def'], key: PropertyKey): Schema | undefined {
  if (def.type === 'object') {
    if (Object.hasOwn(def.shape, key)) return def.shape[String(key)]
    // A strict object's other keys are `never`: nothing is known of what stands there.
    const others = def.catchall as z.core.$ZodTypes | undefined
    return others?._zod.def.type === 'never' ? undefined : others
  }
  if (def.type === 'record') return def.valueType
  return def.type === 'array' ? def.element : undefined
}

function markOf(schema: Schema): 'secret' | 'duration' | undefined {
  for (let next: Schema | undefined = schema; next !== undefined; next = inside(next)) {
    const mark = FIELD_MARKS.get(next as z.ZodType)
    if (mark !== undefined) return mark.kind
    const def = (next as z.core.$ZodTypes)._zod.def
    if (def.type === 'union') return def.options.map(markOf).find((found) => found !== undefined)
  }
  return undefined
}

/** The schema itself, or the options of a union: only the chosen ones where the value names its branch. */
function branches(schema: Schema, value?: unknown): readonly Schema[] {
  const plain = unwrap(schema)
  const def = (plain as z.core.$ZodTypes)._zod.def
  if (def.type !== 'union') return [plain]
  const all = def.options.flatMap((option) => branches(option, value))
  if (!('discriminator' in def)) return all
  const key = String(def.discriminator)
  const chosen = valueAtPath(value, [key])
  const fitting = all.filter((option) => option._zod.propValues?.[key]?.has(chosen as string))
  return fitting.length > 0 ? fitting : all
}

function unwrap(schema: Schema): Schema {
  let plain = schema
  for (let next = inside(plain); next !== undefined; next = inside(plain)) plain = next
  return plain
}

/** What an optional, a default, a pipe and their like are wrapped around: what is written in the file. */
function inside(schema: Schema): Schema | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return def.innerType
    case 'pipe':
      return def.in
    case 'lazy':
      return def.getter()
    default:
      return undefined
  }
}
