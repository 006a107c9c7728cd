import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync as Database } from 'node:sqlite'
import { LocalError, UserError } from '../core/errors.ts'

const SCHEMA_VERSION = 1

const SCHEMA = `
  create table if not exists meta (key text primary key, value text not null) strict;
  create table if not exists runs (
    id text primary key, key text not null, mode text not null, source text not null, stream text,
    from_ms integer not null, to_ms integer not null, question text not null, status text not null, phase text not null,
    done_through integer not null, scanned integer not null default 0, held integer not null default 0,
    spooled integer not null default 0, spool_bytes integer not null default 0, carried text not null default '{}',
    counters text not null default '{}', report text, created_at integer not null, updated_at integer not null
  ) strict;
  create index if not exists runs_by_pair on runs (source, stream, created_at);
  create table if not exists ranges (
    run text not null, first integer not null, count integer not null, spool_from integer not null, spool_to integer not null,
    state text not null, sent_at integer, attempts integer not null default 0, code text, reason text, bytes integer not null default 0,
    primary key (run, first)
  ) strict, without rowid;
  create table if not exists proven (source text not null, stream text not null, from_ms integer not null, to_ms integer not null) strict;
  create table if not exists watermarks (name text primary key, value text not null, updated_at integer not null) strict;
`

/**
 * Opens the ledger's database in the state folder, WAL with full sync: what a commit returned for survives a power cut.
 * @throws UserError when the folder cannot be written, the file is no ledger, or a newer version wrote it
 */
export async function openDatabase(stateDir: string): Promise<Database> {
  silenceSqliteWarning()
  const { DatabaseSync } = await import('node:sqlite')
  const path = join(stateDir, 'ledger.db')
  let database: Database
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    database = new DatabaseSync(path)
    chmodSync(path, 0o600)
  } catch (cause) {
    throw new UserError(`the state folder ${stateDir} cannot be written`, {
      cause,
      hint: 'make it writable, or name another with AUDITCTL_STATE_DIR',
    })
  }
  try {
    database.exec(
      'pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;',
    )
    const version = database.prepare('pragma user_version').get() as { user_version: number }
    if (version.user_version > SCHEMA_VERSION) {
      throw new UserError(
        `the ledger ${path} was written by a newer auditctl (version ${version.user_version})`,
        { hint: 'use that version, or name another folder with AUDITCTL_STATE_DIR' },
      )
    }
    database.exec(SCHEMA)
    database.exec(`pragma user_version = ${SCHEMA_VERSION}`)
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof UserError) throw cause
    throw storageError(cause, path)
  }
}

/** A failing write of the ledger in words: a full disk is told from a damaged file. */
export function storageError(cause: unknown, path: string): Error {
  const text = cause instanceof Error ? cause.message : String(cause)
  if (/not a database|malformed|corrupt/i.test(text)) {
    return new UserError(`the ledger ${path} is damaged: ${text}`, {
      cause,
      hint: 'move it away (nothing is deleted for you); runs recorded in it can then no longer be resumed',
    })
  }
  return new LocalError(`the ledger ${path} could not be written: ${text}`, {
    cause,
    hint: 'free some space or check the disk, then run the same command again: it resumes',
  })
}

/** node:sqlite still announces itself as experimental on Node 22 and 24; users can do nothing about it. */
function silenceSqliteWarning(): void {
  const original = process.emitWarning as (...args: unknown[]) => void
  process.emitWarning = ((...args: unknown[]) => {
    if (String(args[0]).includes('SQLite is an experimental feature')) return
    original.apply(process, args)
  }) as typeof process.emitWarning
}
