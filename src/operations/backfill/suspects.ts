import { RemoteConfigError } from '../../core/errors.ts'
import type { Prepared } from './encode.ts'
import type { Engine } from './engine.ts'
import type { Outcome } from './outcomes.ts'

/** So many events in a row that were refused alone, and nothing taken between them: more likely the settings are at fault than the events. */
export const MAX_REFUSED_ALONE = 20

const NOTHING = new Uint8Array(0)

/** An event that was refused in a request of its own. */
export type Suspect = { readonly item: Prepared; readonly outcome: Outcome; readonly attempts: number }

/**
 * Events that were refused alone since the far side last took something. Whether they are at fault or the settings are is seen by what becomes of
 * others, so they are dead letters only once something was taken, or nothing is left to send.
 */
export class Suspects {
  #held: Suspect[] = []

  get count(): number {
    return this.#held.length
  }

  /** Enough of them to look at the far end of the batch next, whose fate tells more than their neighbour's. */
  get areMany(): boolean {
    return this.#held.length >= MAX_REFUSED_ALONE
  }

  add(suspect: Suspect): void {
    // Without its bytes, which would hold on to a whole body.
    this.#held.push({ ...suspect, item: { ...suspect.item, encoded: NOTHING } })
  }

  /** They are at fault after all: given away, in the order of the spool. */
  take(): readonly Suspect[] {
    const taken = this.#held.sort((a, b) => a.item.position - b.item.position)
    this.#held = []
    return taken
  }
}

/** Ends the run as a refused configuration: what was refused is still to be sent, and the run can be resumed. */
export function refusesEverything({ work, suspects }: Engine, reason: string): RemoteConfigError {
  const { name } = work.parts.destination
  return new RemoteConfigError(
    `the stream ${name} refuses everything: ${suspects.count} events in a row, each in a request of its own, and nothing taken between them: ${reason}`,
    {
      hint: `this looks like configuration, not data, and no event was given up: run auditctl stream test ${name} --send, then auditctl runs resume ${work.run.id}`,
      operation: 'deliver events',
    },
  )
}
