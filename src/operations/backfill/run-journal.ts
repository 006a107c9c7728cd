import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RunJournal } from '../../core/destination.ts'
import { LocalError } from '../../core/errors.ts'

const FILE = 'destination.jsonl'

/** The journal of a run's destination, a file in the run's folder. A line that was cut off by a crash was never relied on, and is left out. */
export function runJournal(folder: string): RunJournal {
  const path = join(folder, FILE)
  const read = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [''])
  // What a crash cut off is ended by the first line of this process, so that it is not taken for its beginning.
  let before: string | undefined
  return {
    lines: () => read().slice(0, -1),
    add(line) {
      try {
        before ??= read().at(-1) === '' ? '' : '\n'
        const fd = openSync(path, 'a', 0o600)
        try {
          writeSync(fd, `${before}${line}\n`)
          fsyncSync(fd)
        } finally {
          closeSync(fd)
        }
        before = ''
      } catch (cause) {
        throw new LocalError(
          `${path} could not be written: ${cause instanceof Error ? cause.message : cause}`,
          {
            cause,
            hint: 'free some space, then run the same command again: it resumes',
          },
        )
      }
    },
  }
}
