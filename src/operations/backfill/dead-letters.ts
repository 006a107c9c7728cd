import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { IdSet } from '../../core/id-set.ts'
import type { EventShape } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { overlaps } from '../../core/time-range.ts'
import type { Ledger } from '../../state/ledger.ts'
import { type RunRecord, windowOf } from '../../state/run-record.ts'
import { Spool } from '../../state/spool.ts'
import { SPOOL_FILE, spooledEvents } from './spooled-events.ts'

export const DEAD_LETTER_FILE = 'dead-letter.jsonl'

export type DeadLetter = {
  readonly event: Record<string, unknown>
  readonly reason: string
  readonly code: string
  readonly attempts: number
}

/** Appends `{"event":…,"reason":…,"code":…,"attempts":n}` with the event's own bytes; the caller syncs before the ledger hears of it. */
export function appendDeadLetter(file: Spool, event: Uint8Array, letter: Omit<DeadLetter, 'event'>): void {
  const tail = `,"reason":${JSON.stringify(letter.reason)},"code":${JSON.stringify(letter.code)},"attempts":${letter.attempts}}`
  file.appendLine(Buffer.concat([Buffer.from('{"event":'), event, Buffer.from(tail)]), 0)
}

/** What earlier runs of the pair gave up on, by id: tried again by `runs resend` only. */
export type EarlierFates = { readonly rejected: IdSet; readonly late: IdSet; readonly archived: IdSet }

export async function earlierFates(
  ledger: Ledger,
  source: string,
  stream: string,
  windows: readonly TimeRange[],
  shape: EventShape,
  except: string,
): Promise<EarlierFates> {
  const fates: EarlierFates = { rejected: new IdSet(), late: new IdSet(), archived: new IdSet() }
  for (const run of ledger.runsOfPair(source, stream)) {
    if (run.id === except || !windows.some((window) => overlaps(window, windowOf(run)))) continue
    for await (const letter of readDeadLetters(ledger, run)) {
      const id = idOf(letter, shape)
      if (id === undefined) continue
      if (letter.code === 'late') fates.late.add(id)
      else fates.rejected.add(id)
    }
    for (const id of archivedIds(ledger, run, shape)) fates.archived.add(id)
  }
  return fates
}

/** The dead-letter file of a run and how much of it the ledger answers for: what a crash left behind that is no letter. */
export function deadLettersOf(
  ledger: Ledger,
  run: RunRecord,
): { readonly path: string; readonly bytes: number } | undefined {
  const path = join(ledger.folderOf(run.id), DEAD_LETTER_FILE)
  const bytes = run.counters.deadLetterBytes
  return bytes > 0 && existsSync(path) ? { path, bytes } : undefined
}

async function* readDeadLetters(ledger: Ledger, run: RunRecord): AsyncGenerator<DeadLetter> {
  const file = deadLettersOf(ledger, run)
  if (file === undefined) return
  const input = createReadStream(file.path, { end: file.bytes - 1 })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== '') yield JSON.parse(line) as DeadLetter
  }
}

function* archivedIds(ledger: Ledger, run: RunRecord, shape: EventShape): Generator<string> {
  const ranges = ledger.ranges(run.id).filter(({ state }) => state === 'archived')
  if (ranges.length === 0) return
  const spool = Spool.open(ledger.folderOf(run.id), SPOOL_FILE, run.spoolBytes)
  try {
    for (const range of ranges) for (const { event } of spooledEvents(spool, shape, range)) yield event.id
  } finally {
    spool.close()
  }
}

function idOf(letter: DeadLetter, shape: EventShape): string | undefined {
  const named = shape.name?.(letter.event)?.id ?? letter.event[shape.idKey]
  return typeof named === 'string' ? named : undefined
}
