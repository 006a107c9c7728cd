import type { StreamCommon } from '../config/fields.ts'
import type { Destination } from '../core/destination.ts'
import { AuditctlError } from '../core/errors.ts'
import type { Inventory } from '../core/inventory.ts'

/**
 * The destination, with how long the far side keeps events as the past of its accept window, where it has none of its own: what is older would be
 * taken and then deleted. A search that does not tell changes nothing.
 */
export async function withinKept(
  destination: Destination,
  { acceptWindow, eventTime }: Pick<StreamCommon, 'acceptWindow' | 'eventTime'>,
  inventory: Inventory | undefined,
  signal: AbortSignal,
): Promise<Destination> {
  const { accepts } = destination.traits
  const isBound = accepts.pastMs !== undefined || acceptWindow?.past !== undefined || eventTime === false
  if (isBound || inventory?.keepsMs === undefined) return destination
  try {
    const pastMs = await inventory.keepsMs(signal)
    if (pastMs === undefined) return destination
    return { ...destination, traits: { ...destination.traits, accepts: { ...accepts, pastMs } } }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AuditctlError)) throw error
    return destination
  }
}
