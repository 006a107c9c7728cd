import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { storageError } from './database.ts'

export type SqlValue = string | number | null
export type Row = Record<string, unknown>

/** Prepared statements of one database, each prepared once; every failure in words that name the file. */
export class Statements {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #prepared = new Map<string, StatementSync>()
  /** What is to be written with the next transaction. */
  #waiting: (() => void)[] = []
  #isInside = false

  constructor(db: DatabaseSync, path: string) {
    this.#db = db
    this.#path = path
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    if (this.#waiting.length > 0 && !this.#isInside) {
      this.transaction(() => this.run(sql, ...values))
      return
    }
    try {
      this.#statement(sql).run(...values)
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    this.#catchUp()
    try {
      return this.#statement(sql).all(...values)
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  /** All of it or nothing, on disk when it returns. */
  transaction(work: () => void): void {
    const waiting = this.#waiting
    try {
      this.#statement('begin immediate').run()
      this.#isInside = true
      for (const earlier of waiting) earlier()
      work()
      this.#statement('commit').run()
      this.#waiting = []
    } catch (cause) {
      this.#rollBack()
      throw storageError(cause, this.#path)
    } finally {
      this.#isInside = false
    }
  }

  /**
   * A part of the next transaction, or a transaction of its own as soon as the process has nothing else to do: a commit costs as much for two
   * changes as for one. Whatever is read afterwards knows of it. Where it cannot be written, whatever comes next throws.
   */
  soon(work: () => void): void {
    this.#waiting.push(work)
    if (this.#waiting.length > 1) return
    setImmediate(() => {
      try {
        this.#catchUp()
      } catch {
        // It still waits, and fails again with the next statement, where somebody listens.
      }
    })
  }

  close(): void {
    if (!this.#db.isOpen) return
    try {
      this.#catchUp()
    } finally {
      this.#db.close()
    }
  }

  #catchUp(): void {
    if (this.#waiting.length > 0 && !this.#isInside && this.#db.isOpen) this.transaction(() => {})
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec('rollback')
    } catch {
      // What failed first is the reason; SQLite has rolled back by itself when the disk is full.
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}
