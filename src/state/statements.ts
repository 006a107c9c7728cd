import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { storageError } from './database.ts'

export type SqlValue = string | number | null
export type Row = Record<string, unknown>

/** Prepared statements of one database, each prepared once; every failure in words that name the file. */
export class Statements {
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, path: string) {
    this.#db = db
    this.#path = path
  }

  run(sql: string, ...values: readonly SqlValue[]): void {
    try {
      this.#statement(sql).run(...values)
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    try {
      return this.#statement(sql).all(...values)
    } catch (cause) {
      throw storageError(cause, this.#path)
    }
  }

  /** All of it or nothing, on disk when it returns. */
  transaction(work: () => void): void {
    try {
      this.#statement('begin immediate').run()
      work()
      this.#statement('commit').run()
    } catch (cause) {
      this.#rollBack()
      throw storageError(cause, this.#path)
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
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
