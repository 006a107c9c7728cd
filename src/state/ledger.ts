import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { RunQuestion, RunReport, RunStatus } from '../core/report.ts'
import type { Clock } from '../core/runtime.ts'
import type { EpochMs } from '../core/time-range.ts'
import { openDatabase } from './database.ts'
import { type ProvenWindows, provenWindows } from './proven.ts'
import { gapsOf, saveGap } from './run-gaps.ts'
import { type Intent, lostRequests, rangesOf, replaceRanges, saveIntent, totalsOf } from './run-ranges.ts'
import type {
  FilledRun,
  RangeState,
  RunCounters,
  RunGap,
  RunPhase,
  RunRecord,
  ScanProgress,
  SpoolRange,
} from './run-record.ts'
import { NO_COUNTERS, NOTHING_CARRIED, recordOf } from './run-rows.ts'
import { Statements } from './statements.ts'

/** The runs, what became of each event they selected, and the proven windows; one SQLite file, every change all or nothing. */
export class Ledger {
  readonly stateDir: string
  readonly proven: ProvenWindows
  readonly #sql: Statements
  readonly #clock: Clock

  private constructor(stateDir: string, sql: Statements, clock: Clock) {
    this.stateDir = stateDir
    this.#sql = sql
    this.#clock = clock
    this.proven = provenWindows(sql)
  }

  /** @throws UserError when the state folder or the file cannot be used */
  static async open(stateDir: string, clock: Clock): Promise<Ledger> {
    const db = await openDatabase(stateDir)
    return new Ledger(stateDir, new Statements(db, join(stateDir, 'ledger.db')), clock)
  }

  close(): void {
    this.#sql.close()
  }

  /** The folder of a run's spool, dead letters and archive. */
  folderOf(run: string): string {
    return join(this.stateDir, 'runs', run)
  }

  /** A name that no run has yet; runs sort by it. */
  newRunId(): string {
    const stamp = new Date(this.#clock.now()).toISOString().replace(/[-:]|\..*/g, '')
    return `${stamp}-${randomBytes(3).toString('hex')}`
  }

  createRun(key: string, question: RunQuestion, filled?: FilledRun): RunRecord {
    const now = this.#clock.now()
    const id = filled?.id ?? this.newRunId()
    const none = { doneThrough: question.from, scanned: 0, held: 0, spooled: 0, spoolBytes: 0 }
    const progress = filled?.progress ?? { ...none, carried: NOTHING_CARRIED }
    this.#sql.run(
      `insert into runs (id, key, mode, source, stream, from_ms, to_ms, question, status, phase, done_through, scanned, held, spooled,
       spool_bytes, carried, counters, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, 'running', 'scan', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      key,
      question.mode,
      question.source,
      question.stream,
      question.from,
      question.to,
      JSON.stringify(question),
      progress.doneThrough,
      progress.scanned,
      progress.held,
      progress.spooled,
      progress.spoolBytes,
      JSON.stringify(progress.carried),
      JSON.stringify(NO_COUNTERS),
      now,
      now,
    )
    return this.readRun(id) as RunRecord
  }

  readRun(id: string): RunRecord | undefined {
    return this.#sql.all('select * from runs where id = ?', id).map(recordOf)[0]
  }

  /** The newest run of that question. */
  findByKey(key: string): RunRecord | undefined {
    const newest = 'select * from runs where key = ? order by created_at desc, rowid desc limit 1'
    return this.#sql.all(newest, key).map(recordOf)[0]
  }

  /** Newest first. */
  listRuns(): readonly RunRecord[] {
    return this.#sql.all('select * from runs order by created_at desc, rowid desc').map(recordOf)
  }

  /** Oldest first. */
  runsOfPair(source: string, stream: string): readonly RunRecord[] {
    const ofPair = 'select * from runs where source = ? and stream = ? order by created_at, rowid'
    return this.#sql.all(ofPair, source, stream).map(recordOf)
  }

  /** A run is worked on again: an earlier report no longer describes it. */
  begin(run: string): void {
    const again = "update runs set status = 'running', report = null, updated_at = ? where id = ?"
    this.#sql.run(again, this.#clock.now(), run)
  }

  /**
   * One slice was scanned: its events are counted, and what it selected is in the spool, synced before this is called. `gaps`: those that began
   * or went on in it.
   */
  commitScan(run: string, progress: ScanProgress, gaps: readonly RunGap[] = []): void {
    if (gaps.length === 0) this.#saveScan(run, progress)
    else
      this.#sql.transaction(() => {
        this.#saveScan(run, progress)
        for (const gap of gaps) saveGap(this.#sql, run, gap)
      })
  }

  #saveScan(run: string, progress: ScanProgress): void {
    this.#sql.run(
      'update runs set done_through = ?, scanned = ?, held = ?, spooled = ?, spool_bytes = ?, carried = ?, updated_at = ? where id = ?',
      progress.doneThrough,
      progress.scanned,
      progress.held,
      progress.spooled,
      progress.spoolBytes,
      JSON.stringify(progress.carried),
      this.#clock.now(),
      run,
    )
  }

  /** What the run's scan found missing, in the order of time: the first thousand stretches at most. */
  gaps(run: string): readonly RunGap[] {
    return gapsOf(this.#sql, run)
  }

  setPhase(run: string, phase: RunPhase, status: RunStatus): void {
    const set = 'update runs set phase = ?, status = ?, updated_at = ? where id = ?'
    this.#sql.run(set, phase, status, this.#clock.now(), run)
  }

  /** Before a request leaves: what it carries, and when. */
  intend(run: string, range: Intent): void {
    saveIntent(this.#sql, run, range)
  }

  /** After the answer: replaces what was known of the stretch that `pieces` cover, and the run's counters, in one transaction. */
  settle(run: string, pieces: readonly SpoolRange[], counters: RunCounters): void {
    this.#sql.transaction(() => this.#replace(run, pieces, counters))
  }

  /**
   * The same with the next intent's transaction, or as soon as nothing else is to be done. Lost with the process before that, the request
   * reads as unknown, as it would if its answer had been lost.
   */
  settleSoon(run: string, pieces: readonly SpoolRange[], counters: RunCounters): void {
    this.#sql.soon(() => this.#replace(run, pieces, counters))
  }

  #replace(run: string, pieces: readonly SpoolRange[], counters: RunCounters): void {
    replaceRanges(this.#sql, run, pieces)
    this.saveCounters(run, counters)
  }

  saveCounters(run: string, counters: RunCounters): void {
    const save = 'update runs set counters = ?, updated_at = ? where id = ?'
    this.#sql.run(save, JSON.stringify(counters), this.#clock.now(), run)
  }

  /**
   * Requests that were under way when their process died become unknown outcomes and count as sent. A stretch to be sent again needs no row
   * of its own, and without one no new batch can overlap an old one.
   */
  recover(run: string): void {
    this.#sql.transaction(() => {
      const { requests, retries, bytes } = lostRequests(this.#sql, run)
      const counters = this.readRun(run)?.counters
      if (requests > 0 && counters !== undefined) {
        this.saveCounters(run, {
          ...counters,
          requests: counters.requests + requests,
          retries: counters.retries + retries,
          batches: counters.batches + requests - retries,
          bytesSent: counters.bytesSent + bytes,
        })
        this.#sql.run("update ranges set state = 'unknown' where run = ? and state = 'sending'", run)
      }
      this.#sql.run("delete from ranges where run = ? and state = 'retry'", run)
    })
  }

  /** What is known of the spool, in its order; stretches named nowhere were not reached. */
  ranges(run: string): readonly SpoolRange[] {
    return rangesOf(this.#sql, run)
  }

  totals(run: string): Readonly<Partial<Record<RangeState, number>>> {
    return totalsOf(this.#sql, run)
  }

  finish(run: string, report: RunReport, phase: RunPhase): void {
    const end = 'update runs set status = ?, phase = ?, report = ?, updated_at = ? where id = ?'
    this.#sql.run(end, report.status, phase, JSON.stringify(report), this.#clock.now(), run)
  }

  /** Forgets a run that a guard refused before anything was sent. */
  remove(id: string): void {
    this.#sql.transaction(() => this.#forget(id))
  }

  /** Forgets runs that ended before `before`; gives their ids. Unfinished ones stay. */
  prune(before: EpochMs): readonly string[] {
    const old = "select id from runs where phase = 'done' and updated_at < ?"
    const ids = this.#sql.all(old, before).map((row) => String(row['id']))
    this.#sql.transaction(() => {
      for (const id of ids) this.#forget(id)
    })
    return ids
  }

  #forget(id: string): void {
    for (const table of ['ranges', 'gaps']) this.#sql.run(`delete from ${table} where run = ?`, id)
    this.#sql.run('delete from runs where id = ?', id)
  }

  readWatermark<Value>(name: string): Value | undefined {
    const row = this.#sql.all('select value from watermarks where name = ?', name)[0]
    return row === undefined ? undefined : (JSON.parse(String(row['value'])) as Value)
  }

  writeWatermark(name: string, value: unknown): void {
    this.#sql.run(
      'insert into watermarks (name, value, updated_at) values (?, ?, ?) on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at',
      name,
      JSON.stringify(value),
      this.#clock.now(),
    )
  }

  forgetWatermark(name: string): void {
    this.#sql.run('delete from watermarks where name = ?', name)
  }
}
