import { resolve } from 'node:path'
import { UserError } from '../core/errors.ts'
import type { Inventory } from '../core/inventory.ts'
import type { RunQuestion } from '../core/report.ts'
import type { TimeRange } from '../core/time-range.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { OpenStream } from './job.ts'

/** The stream's inventory. @throws UserError saying how to get one, and what works without it */
export function requireInventory(stream: OpenStream, command: 'gaps' | 'backfill'): Inventory {
  if (stream.inventory !== undefined) return stream.inventory
  const { name, provider } = stream.destination
  const instead = command === 'gaps' ? '' : ', or send the whole window with --all'
  throw new UserError(
    `what the stream ${name} (${provider}) holds is not known: it has no search credentials, or it cannot be searched`,
    {
      code: 'no-inventory',
      hint: `add them under streams.${name}.search, or give the held ids with --inventory FILE${instead}`,
    },
  )
}

/** How the inventory is asked, kept with a run: its incident report may be made when the configuration is another one. */
export function foundBy(
  { destination, inventory }: OpenStream,
  invocation: Invocation,
  window: TimeRange,
): NonNullable<RunQuestion['foundBy']> {
  const file = textOption(invocation, 'inventory')
  if (file !== undefined) return { file: file === '-' ? file : resolve(file) }
  const { provider } = destination
  const text = inventory?.queryText?.(window)
  return text === undefined ? { provider } : { provider, query: text.query, where: text.where }
}
