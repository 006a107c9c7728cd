import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LockedError } from '../core/errors.ts'
import type { Clock, Log } from '../core/runtime.ts'
import { silenceSqliteWarning, storageError } from './database.ts'

export type Lock = { release(): void }

/**
 * Holds `name` for this process until it is released or the process ends, however it ends: an open transaction in a small SQLite file
 * of its own, since Node has no flock. The owner is named beside it.
 * @throws LockedError naming the owner while another process holds it and `wait` is false
 */
export async function acquireLock(
  stateDir: string,
  name: string,
  options: {
    readonly owner: string
    readonly wait: boolean
    readonly clock: Clock
    readonly log: Log
    readonly signal: AbortSignal
  },
): Promise<Lock> {
  silenceSqliteWarning()
  const { DatabaseSync } = await import('node:sqlite')
  const folder = join(stateDir, 'locks')
  orStorageError(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  const base = join(folder, createHash('sha256').update(name).digest('hex').slice(0, 24))
  for (let told = false; ; told = true) {
    const database = orStorageError(folder, () => new DatabaseSync(`${base}.db`))
    try {
      database.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive')
    } catch (cause) {
      database.close()
      if (!/locked|busy/i.test(cause instanceof Error ? cause.message : ''))
        throw storageError(cause, `${base}.db`)
      const owner = ownerOf(`${base}.owner`)
      if (!options.wait) {
        throw new LockedError(`${name} is held by another run: ${owner}`, {
          cause,
          hint: 'wait for it with --wait, or see auditctl runs list',
        })
      }
      if (!told) options.log.info(`waiting for ${name}, held by ${owner}`)
      await options.clock.sleep(500, options.signal)
      continue
    }
    const content = JSON.stringify({
      pid: process.pid,
      owner: options.owner,
      since: new Date(options.clock.now()).toISOString(),
    })
    orStorageError(folder, () => writeFileSync(`${base}.owner`, content, { mode: 0o600 }))
    return {
      release() {
        rmSync(`${base}.owner`, { force: true })
        if (database.isOpen) database.close()
      },
    }
  }
}

function ownerOf(path: string): string {
  try {
    const { pid, owner, since } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
    return `${owner} (process ${pid}, since ${since})`
  } catch {
    return 'an unnamed process'
  }
}

/** @throws LocalError, UserError where the disk is full, failing, or holds something else */
function orStorageError<Value>(folder: string, work: () => Value): Value {
  try {
    return work()
  } catch (cause) {
    throw storageError(cause, folder)
  }
}
