import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RunQuestion, RunReport, RunStatus } from '../core/report.ts'
import type { Clock } from '../core/runtime.ts'
import type { EpochMs, TimeRange } from '../core/time-range.ts'
import { openDatabase, storageError } from './database.ts'
import { type ProvenWindows, provenWindows } from './proven.ts'

/**
 * What is known of a stretch of a run's spool. `sending` is an intent: after a crash it reads as `unknown`. `retry` means that nothing of
 * it was stored.
 */
export type RangeState =
  | 'sending'
  | 'delivered'
  | 'unverified'
  | 'unknown'
  | 'retry'
  | 'rejected'
  | 'late'
  | 'archived'

export type SpoolRange = {
  /** Position of the first event in the spool, from 0. */
  readonly first: number
  readonly count: number
  readonly spoolFrom: number
  readonly spoolTo: number
  readonly state: RangeState
  readonly sentAt: EpochMs | undefined
  readonly attempts: number
  readonly code: string | undefined
  readonly reason: string | undefined
}

export type RunCounters = {
  readonly batches: number
  readonly requests: number
  readonly retries: number
  readonly bytesSent: number
  readonly duplicatesPossible: number
  /** Length of the dead-letter file that these counts describe. */
  readonly deadLetterBytes: number
  readonly durationMs: number
  readonly notRebuilt: Readonly<Record<string, number>>
}

export const NO_COUNTERS: RunCounters = {
  batches: 0,
  requests: 0,
  retries: 0,
  bytesSent: 0,
  duplicatesPossible: 0,
  deadLetterBytes: 0,
  durationMs: 0,
  notRebuilt: {},
}

export type RunPhase = 'scan' | 'deliver' | 'done'

export type RunRecord = {
  readonly id: string
  readonly key: string
  readonly question: RunQuestion
  readonly status: RunStatus
  readonly phase: RunPhase
  /** Every slice before this instant was scanned, and what it selected is in the spool. */
  readonly doneThrough: EpochMs
  readonly scanned: number
  readonly held: number
  readonly spooled: number
  readonly spoolBytes: number
  /** Selected again although an earlier run had dead-lettered them: by the state they have there. Never sent by this run. */
  readonly carried: { readonly rejected: number; readonly late: number }
  readonly counters: RunCounters
  readonly report: RunReport | undefined
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

export type ScanProgress = Pick<
  RunRecord,
  'doneThrough' | 'scanned' | 'held' | 'spooled' | 'spoolBytes' | 'carried'
>

/** The runs, what became of each event they selected, and the proven windows; one SQLite file, every change all or nothing. */
export class Ledger {
  readonly stateDir: string
  readonly proven: ProvenWindows
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #path: string
  readonly #statements = new Map<string, StatementSync>()

  private constructor(stateDir: string, db: DatabaseSync, clock: Clock) {
    this.stateDir = stateDir
    this.#db = db
    this.#clock = clock
    this.#path = join(stateDir, 'ledger.db')
    this.proven = provenWindows(
      (sql, values) => this.#all(sql, values),
      (work) => this.#transaction(work),
    )
  }

  /** @throws UserError when the state folder or the file cannot be used */
  static async open(stateDir: string, clock: Clock): Promise<Ledger> {
    return new Ledger(stateDir, await openDatabase(stateDir), clock)
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  /** The folder of a run's spool, dead letters and archive. */
  folderOf(run: string): string {
    return join(this.stateDir, 'runs', run)
  }

  createRun(key: string, question: RunQuestion): RunRecord {
    const now = this.#clock.now()
    const stamp = new Date(now).toISOString().replace(/[-:]|\..*/g, '')
    const id = `${stamp}-${randomBytes(3).toString('hex')}`
    this.#run(
      `insert into runs (id, key, mode, source, stream, from_ms, to_ms, question, status, phase, done_through, created_at, updated_at, carried, counters)
       values (?, ?, ?, ?, ?, ?, ?, ?, 'running', 'scan', ?, ?, ?, '{"rejected":0,"late":0}', ?)`,
      [
        id,
        key,
        question.mode,
        question.source,
        question.stream,
        question.from,
        question.to,
        JSON.stringify(question),
        question.from,
        now,
        now,
        JSON.stringify(NO_COUNTERS),
      ],
    )
    return this.readRun(id) as RunRecord
  }

  readRun(id: string): RunRecord | undefined {
    return this.#all('select * from runs where id = ?', [id]).map(recordOf)[0]
  }

  /** The newest run of that question. */
  findByKey(key: string): RunRecord | undefined {
    return this.#all('select * from runs where key = ? order by created_at desc, rowid desc limit 1', [
      key,
    ]).map(recordOf)[0]
  }

  /** Newest first. */
  listRuns(): readonly RunRecord[] {
    return this.#all('select * from runs order by created_at desc, rowid desc', []).map(recordOf)
  }

  runsOfPair(source: string, stream: string): readonly RunRecord[] {
    return this.#all('select * from runs where source = ? and stream = ? order by created_at, rowid', [
      source,
      stream,
    ]).map(recordOf)
  }

  /** One slice was scanned: its events are counted, and what it selected is in the spool, synced before this is called. */
  commitScan(run: string, progress: ScanProgress): void {
    this.#run(
      'update runs set done_through = ?, scanned = ?, held = ?, spooled = ?, spool_bytes = ?, carried = ?, updated_at = ? where id = ?',
      [
        progress.doneThrough,
        progress.scanned,
        progress.held,
        progress.spooled,
        progress.spoolBytes,
        JSON.stringify(progress.carried),
        this.#clock.now(),
        run,
      ],
    )
  }

  setPhase(run: string, phase: RunPhase, status: RunStatus): void {
    this.#run('update runs set phase = ?, status = ?, updated_at = ? where id = ?', [
      phase,
      status,
      this.#clock.now(),
      run,
    ])
  }

  /** Before a request leaves: what it carries, and when. */
  intend(
    run: string,
    range: Omit<SpoolRange, 'state' | 'code' | 'reason'> & { readonly bytes: number },
  ): void {
    this.#run(
      `insert into ranges (run, first, count, spool_from, spool_to, state, sent_at, attempts, bytes) values (?, ?, ?, ?, ?, 'sending', ?, ?, ?)
       on conflict (run, first) do update set count = excluded.count, spool_to = excluded.spool_to, state = 'sending', sent_at = excluded.sent_at, attempts = excluded.attempts, bytes = excluded.bytes`,
      [
        run,
        range.first,
        range.count,
        range.spoolFrom,
        range.spoolTo,
        range.sentAt ?? null,
        range.attempts,
        range.bytes,
      ],
    )
  }

  /** After the answer: replaces what was known of the stretch that `pieces` cover, and the run's counters, in one transaction. */
  settle(run: string, pieces: readonly SpoolRange[], counters: RunCounters): void {
    const [start, end] = [
      pieces[0]?.first ?? 0,
      pieces.reduce((max, piece) => Math.max(max, piece.first + piece.count), 0),
    ]
    this.#transaction(() => {
      if (pieces.length > 0)
        this.#run('delete from ranges where run = ? and first >= ? and first < ?', [run, start, end])
      for (const piece of pieces) {
        this.#run(
          'insert into ranges (run, first, count, spool_from, spool_to, state, sent_at, attempts, code, reason) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          [
            run,
            piece.first,
            piece.count,
            piece.spoolFrom,
            piece.spoolTo,
            piece.state,
            piece.sentAt ?? null,
            piece.attempts,
            piece.code ?? null,
            piece.reason ?? null,
          ],
        )
      }
      this.#run('update runs set counters = ?, updated_at = ? where id = ?', [
        JSON.stringify(counters),
        this.#clock.now(),
        run,
      ])
    })
  }

  saveCounters(run: string, counters: RunCounters): void {
    this.#run('update runs set counters = ?, updated_at = ? where id = ?', [
      JSON.stringify(counters),
      this.#clock.now(),
      run,
    ])
  }

  /** What is known of the spool, in its order; stretches named nowhere were not reached. */
  ranges(run: string): readonly SpoolRange[] {
    return this.#all('select * from ranges where run = ? order by first', [run]).map(rangeOf)
  }

  totals(run: string): Readonly<Partial<Record<RangeState, number>>> {
    const rows = this.#all('select state, sum(count) as total from ranges where run = ? group by state', [
      run,
    ])
    return Object.fromEntries(rows.map((row) => [row['state'], row['total']]))
  }

  finish(run: string, report: RunReport, phase: RunPhase): void {
    this.#run('update runs set status = ?, phase = ?, report = ?, updated_at = ? where id = ?', [
      report.status,
      phase,
      JSON.stringify(report),
      this.#clock.now(),
      run,
    ])
  }

  /** Forgets one run: a dry run, or one that a guard refused before anything was sent. */
  remove(id: string): void {
    this.#transaction(() => {
      this.#run('delete from ranges where run = ?', [id])
      this.#run('delete from runs where id = ?', [id])
    })
  }

  /** Forgets runs that ended before `before`; gives their ids. Unfinished ones stay. */
  prune(before: EpochMs): readonly string[] {
    const ids = this.#all("select id from runs where phase = 'done' and updated_at < ?", [before]).map(
      (row) => String(row['id']),
    )
    this.#transaction(() => {
      for (const id of ids) {
        this.#run('delete from ranges where run = ?', [id])
        this.#run('delete from runs where id = ?', [id])
      }
    })
    return ids
  }

  readWatermark<Value>(name: string): Value | undefined {
    const row = this.#all('select value from watermarks where name = ?', [name])[0]
    return row === undefined ? undefined : (JSON.parse(String(row['value'])) as Value)
  }

  writeWatermark(name: string, value: unknown): void {
    this.#run(
      'insert into watermarks (name, value, updated_at) values (?, ?, ?) on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at',
      [name, JSON.stringify(value), this.#clock.now()],
    )
  }

  forgetWatermark(name: string): void {
    this.#run('delete from watermarks where name = ?', [name])
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #run(sql: string, values: readonly (string | number | null)[]): void {
    try {
      this.#statement(sql).run(...values)
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  #all(sql: string, values: readonly (string | number | null)[]): Record<string, unknown>[] {
    try {
      return this.#statement(sql).all(...values) as Record<string, unknown>[]
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  #transaction(work: () => void): void {
    try {
      this.#db.exec('begin immediate')
      work()
      this.#db.exec('commit')
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw storageError(cause, this.#path)
    }
  }
}

/** A run that was left in the middle and can be resumed. */
export function isUnfinished(run: RunRecord): boolean {
  return run.phase !== 'done' && run.question.mode !== 'export'
}

export function windowOf(run: RunRecord): TimeRange {
  return { from: run.question.from, to: run.question.to }
}

function recordOf(row: Record<string, unknown>): RunRecord {
  return {
    id: String(row['id']),
    key: String(row['key']),
    question: JSON.parse(String(row['question'])) as RunQuestion,
    status: row['status'] as RunStatus,
    phase: row['phase'] as RunPhase,
    doneThrough: Number(row['done_through']),
    scanned: Number(row['scanned']),
    held: Number(row['held']),
    spooled: Number(row['spooled']),
    spoolBytes: Number(row['spool_bytes']),
    carried: JSON.parse(String(row['carried'])) as RunRecord['carried'],
    counters: JSON.parse(String(row['counters'])) as RunCounters,
    report: row['report'] === null ? undefined : (JSON.parse(String(row['report'])) as RunReport),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
  }
}

function rangeOf(row: Record<string, unknown>): SpoolRange {
  return {
    first: Number(row['first']),
    count: Number(row['count']),
    spoolFrom: Number(row['spool_from']),
    spoolTo: Number(row['spool_to']),
    state: row['state'] as RangeState,
    sentAt: row['sent_at'] === null ? undefined : Number(row['sent_at']),
    attempts: Number(row['attempts']),
    code: row['code'] === null ? undefined : String(row['code']),
    reason: row['reason'] === null ? undefined : String(row['reason']),
  }
}
