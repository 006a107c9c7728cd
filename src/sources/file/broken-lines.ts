import { UserError } from '../../core/errors.ts'
import type { Log } from '../../core/runtime.ts'

/** Broken lines beyond these are counted and told at `-v` only: a wrong file would flood the log. */
const MAX_TOLD = 20

/** Reports, counts and, with `isStrict`, refuses what is no event. */
export class BrokenLines {
  count = 0
  readonly #log: Log
  readonly #isStrict: boolean

  constructor(log: Log, isStrict: boolean) {
    this.#log = log
    this.#isStrict = isStrict
  }

  /** @throws UserError with `isStrict` */
  add(file: string, line: number, reason: string): void {
    const message = `${file}: line ${line} is broken and was left out: ${reason}`
    if (this.#isStrict) {
      throw new UserError(`${file}: line ${line} is broken: ${reason}`, {
        hint: 'without --strict such lines are reported, counted and left out',
        code: 'broken-line',
      })
    }
    this.count += 1
    if (this.count <= MAX_TOLD) this.#log.warn(message, { file, line })
    else this.#log.debug(message, { file, line })
    if (this.count === MAX_TOLD)
      this.#log.warn('more broken lines are counted, and told one by one only with -v')
  }

  warnings(): readonly string[] {
    if (this.count === 0) return []
    return [`${this.count} broken input ${this.count === 1 ? 'line was' : 'lines were'} left out`]
  }
}
