import type { Destination } from '../../core/destination.ts'
import { group } from './guards.ts'

/** Of events that are sent: those longer than the far side advises, which it takes all the same. */
export class LargeEvents {
  readonly #destination: Pick<Destination, 'name' | 'traits'>
  readonly #from: number
  #count = 0
  #longest = 0

  constructor(destination: Pick<Destination, 'name' | 'traits'>) {
    this.#destination = destination
    this.#from = destination.traits.advised?.eventBytes ?? Number.POSITIVE_INFINITY
  }

  /** An event of so many bytes goes out. */
  note(bytes: number): void {
    if (bytes <= this.#from) return
    this.#count += 1
    this.#longest = Math.max(this.#longest, bytes)
  }

  /** One sentence, or none where there was no such event. */
  warnings(): readonly string[] {
    const { name, traits } = this.#destination
    if (this.#count === 0 || traits.advised === undefined) return []
    const { eventBytes, beyond } = traits.advised
    return [
      `${group(this.#count)} events are longer than the ${group(eventBytes)} bytes that ${name} advises (the longest ${group(this.#longest)}): ${beyond}`,
    ]
  }
}
