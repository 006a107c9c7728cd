import { UserError } from '../core/errors.ts'
import type { OptionSpec } from './tree/option-specs.ts'

/** Spellings of one thing: whichever was typed silences the environment's word on the others. */
const RIVALS: readonly (readonly string[])[] = [
  ['from', 'since', 'in'],
  ['to', 'until', 'in'],
  ['event', 'action'],
  ['output', 'json'],
  ['quiet', 'verbose'],
  ['missing', 'all', 'gaps'],
]

const ON = /^(?:1|true|yes|on)$/i
const OFF = /^(?:0|false|no|off)?$/i

/** `--inventory-window` → `AUDITCTL_INVENTORY_WINDOW`. */
export function environmentName(flags: string): string {
  const long = /--((?:no-)?[a-z-]+)/.exec(flags)?.[1] ?? ''
  return `AUDITCTL_${long.replaceAll('-', '_').toUpperCase()}`
}

/**
 * The options with those that the environment adds: `AUDITCTL_<OPTION>`. What was typed wins, also under another spelling. An empty
 * variable is none; a switch is off for 0, false, no and off.
 * @throws UserError naming the variable whose value is not possible
 */
export function withEnvironment(
  specs: readonly OptionSpec[],
  options: Readonly<Record<string, unknown>>,
  typed: ReadonlySet<string>,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const silenced = new Set(RIVALS.filter((names) => names.some((name) => typed.has(name))).flat())
  const added: Record<string, unknown> = {}
  for (const spec of specs) {
    const variable = environmentName(spec.flags)
    const text = env[variable]
    const key = optionKey(spec)
    if (text === undefined || text === '' || typed.has(key) || silenced.has(key)) continue
    const value = valueIn(spec, variable, text)
    if (value !== undefined) added[key] = value
  }
  return { ...options, ...added }
}

/** As commander names it: `--max-rate <N/s>` → `maxRate`, `--no-color` → `color`. */
function optionKey({ flags }: OptionSpec): string {
  const long = /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? ''
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function valueIn(spec: OptionSpec, variable: string, text: string): unknown {
  if (spec.flags.includes('<')) {
    if (spec.choices !== undefined && !spec.choices.includes(text))
      throw new UserError(`${variable}: ${JSON.stringify(text)} is not possible`, {
        hint: `choose from ${spec.choices.join(', ')}`,
      })
    return spec.repeatable === true ? [text] : text
  }
  const isRepeatable = spec.repeatable === true
  if (isRepeatable && /^[1-9]$/.test(text)) return Number(text)
  if (ON.test(text)) return spec.flags.includes('--no-') ? false : isRepeatable ? 1 : true
  if (OFF.test(text)) return undefined
  throw new UserError(`${variable}: ${JSON.stringify(text)} is neither on nor off`, {
    hint: 'write 1 or 0, or leave it out',
  })
}
