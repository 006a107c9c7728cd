import type { EventFilter } from '../core/filter.ts'
import { shellWord } from '../core/shell-word.ts'

/** The flags that say this filter, for a command that can be pasted. */
export function filterWords({ fields, events, where }: EventFilter): readonly string[] {
  return [
    ...(events.length > 0 ? ['--event', events.join(',')] : []),
    ...Object.entries(fields).flatMap(([name, value]) => [`--${name}`, value]),
    ...where.flatMap(({ path, operator, value }) => ['--where', `${path.join('.')}${operator}${value}`]),
  ]
}

/** Words as one line of shell. */
export function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
