import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AuditEvent } from '../../core/event.ts'
import { IdSet } from '../../core/id-set.ts'
import type { EventShape } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { overlaps } from '../../core/time-range.ts'
import { type Ledger, windowOf } from '../../state/ledger.ts'
import type { Spool } from '../../state/spool.ts'

export const DEAD_LETTER_FILE = 'dead-letter.jsonl'

export type DeadLetter = {
  readonly event: Record<string, unknown>
  readonly reason: string
  readonly code: string
  readonly attempts: number
}

/** Appends `{"event":…,"reason":…,"code":…,"attempts":n}` with the event's own bytes; the caller syncs before the ledger hears of it. */
export function appendDeadLetter(file: Spool, event: AuditEvent, letter: Omit<DeadLetter, 'event'>): void {
  const tail = `,"reason":${JSON.stringify(letter.reason)},"code":${JSON.stringify(letter.code)},"attempts":${letter.attempts}}`
  file.appendLine(Buffer.concat([Buffer.from('{"event":'), event.bytes, Buffer.from(tail)]), 0)
}

/** What earlier runs of the pair gave up on, by id: tried again by `runs resend` only. */
export type EarlierLetters = { readonly rejected: IdSet; readonly late: IdSet }

export async function earlierLetters(
  ledger: Ledger,
  source: string,
  stream: string,
  windows: readonly TimeRange[],
  shape: EventShape,
  except: string,
): Promise<EarlierLetters> {
  const letters: EarlierLetters = { rejected: new IdSet(), late: new IdSet() }
  for (const run of ledger.runsOfPair(source, stream)) {
    if (run.id === except || !windows.some((window) => overlaps(window, windowOf(run)))) continue
    const path = join(ledger.folderOf(run.id), DEAD_LETTER_FILE)
    if (!existsSync(path)) continue
    for await (const letter of readDeadLetters(path)) {
      const id = idOf(letter, shape)
      if (id === undefined) continue
      if (letter.code === 'late') letters.late.add(id)
      else letters.rejected.add(id)
    }
  }
  return letters
}

/** The lines of a dead-letter file, parsed; a torn last line, which only a crash leaves, is not a letter. */
export async function* readDeadLetters(path: string): AsyncGenerator<DeadLetter> {
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line === '') continue
    try {
      yield JSON.parse(line) as DeadLetter
    } catch {
      return
    }
  }
}

function idOf(letter: DeadLetter, shape: EventShape): string | undefined {
  const named = shape.name?.(letter.event)?.id ?? letter.event[shape.idKey]
  return typeof named === 'string' ? named : undefined
}
