import { UserError } from '../core/errors.ts'
import type { Inventory } from '../core/inventory.ts'
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
