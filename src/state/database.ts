import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync as Database } from 'node:sqlite'
import { AuditctlError, LocalError, UserError } from '../core/errors.ts'

const SCHEMA_VERSION = 1
/** `AuCt`: marks the file as ours, so that no tables are put into another program's database. */
const APPLICATION_ID = 0x41754374

/** Made in every ledger that is opened: earlier releases wrote ledgers without it. */
const GAPS = `
  create table if not exists gaps (
    run text not null, n integer not null, from_ms integer not null, to_ms integer not null, missing integer not null,
    spool_first integer not null, spooled integer not null, first_id text not null, last_id text not null, is_open integer not null,
    primary key (run, n)
  ) strict, without rowid;
`

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
    throw notWritable(stateDir, cause)
  }
  try {
    database.exec('pragma busy_timeout = 10000; pragma foreign_keys = on;')
    const isNew = isWithoutTables(database)
    if (isNew) checkNothingLost(stateDir, path)
    else checkOwner(database, path)
    // A short log is soon written over again; one that grows has each sync write down the file's new size as well.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 100;')
    if (isNew) {
      database.exec(
        `begin immediate; ${SCHEMA} ${GAPS} pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit;`,
      )
    } else database.exec(GAPS)
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof UserError) throw cause
    if (/readonly|unable to open/i.test(textOf(cause))) throw notWritable(stateDir, cause)
    throw storageError(cause, path)
  }
}

function isWithoutTables(database: Database): boolean {
  return Number(database.prepare('select count(*) as tables from sqlite_master').get()?.['tables']) === 0
}

/** @throws UserError where runs lie beside a ledger that is empty: starting again in silence would send their events twice */
function checkNothingLost(stateDir: string, path: string): void {
  const folder = join(stateDir, 'runs')
  const runs = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('dry-')) : []
  if (runs.length === 0) return
  throw new UserError(`the ledger ${path} is empty, but ${folder} holds ${runs.length} runs: it was lost`, {
    code: 'state-lost',
    hint: `restore it from a backup, or move ${folder} away to start afresh (nothing is deleted for you)`,
  })
}

/** @throws UserError for a database that is no ledger, or a later ledger than this program knows */
function checkOwner(database: Database, path: string): void {
  const number = (pragma: string): number =>
    Number(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0] ?? 0)
  if (number('application_id') !== APPLICATION_ID) {
    throw new UserError(`${path} is a database of another program, not a ledger`, {
      code: 'state-foreign',
      hint: 'move it away, or name another folder with AUDITCTL_STATE_DIR',
    })
  }
  const version = number('user_version')
  if (version > SCHEMA_VERSION) {
    throw new UserError(`the ledger ${path} was written by a newer auditctl (version ${version})`, {
      code: 'state-newer',
      hint: 'use that version, or name another folder with AUDITCTL_STATE_DIR',
    })
  }
}

function notWritable(stateDir: string, cause: unknown): UserError {
  return new UserError(`the state folder ${stateDir} cannot be written`, {
    cause,
    code: 'state-dir',
    hint: 'make it writable, or name another with AUDITCTL_STATE_DIR',
  })
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** A failing write of the ledger in words: a full disk is told from a damaged file. */
export function storageError(cause: unknown, path: string): Error {
  if (cause instanceof AuditctlError) return cause
  const text = textOf(cause)
  if (/not a database|malformed|corrupt/i.test(text)) {
    return new UserError(`the ledger ${path} is damaged: ${text}`, {
      cause,
      code: 'state-damaged',
      hint: 'move it away (nothing is deleted for you); runs recorded in it can then no longer be resumed',
    })
  }
  return new LocalError(`the ledger ${path} could not be written: ${text}`, {
    cause,
    hint: 'free some space or check the disk, then run the same command again: it resumes',
  })
}

let isSilenced = false

/** node:sqlite still announces itself as experimental on Node 22 and 24; users can do nothing about it. */
export function silenceSqliteWarning(): void {
  if (isSilenced) return
  isSilenced = true
  const original = process.emitWarning as (...args: unknown[]) => void
  process.emitWarning = ((...args: unknown[]) => {
    if (String(args[0]).includes('SQLite is an experimental feature')) return
    original.apply(process, args)
  }) as typeof process.emitWarning
}
