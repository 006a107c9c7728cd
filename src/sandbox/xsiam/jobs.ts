import { createHash } from 'node:crypto'
import { MINUTE_MS } from '../../core/time-range.ts'
import type { XqlRow } from './xql.ts'

/** A query that was started, with the rows it found. */
export type Job = {
  readonly id: string
  readonly streamId: string
  readonly rows: readonly XqlRow[]
  readonly startedAt: number
  polls: number
  isDone: boolean
}

export type Jobs = {
  start(rows: readonly XqlRow[]): Job
  byId(id: string): Job | undefined
  byStream(id: string): Job | undefined
  /** Queries that still run: one that nobody asks for ends by itself. */
  running(): number
}

const KEPT = 4

export function jobBook(now: () => number): Jobs {
  const jobs: Job[] = []
  let count = 0
  return {
    start(rows) {
      count += 1
      const hash = createHash('sha256').update(`job ${count}`).digest('hex')
      const job = {
        id: `${hash.slice(0, 16)}_${count}_inv`,
        streamId: `${hash.slice(16, 32)}_stream_${count}`,
        rows,
        startedAt: now(),
        polls: 0,
        isDone: false,
      }
      jobs.push(job)
      if (jobs.length > KEPT) jobs.shift()
      return job
    },
    byId: (id) => jobs.find((job) => job.id === id),
    byStream: (id) => jobs.find((job) => job.streamId === id),
    running: () => jobs.filter((job) => !job.isDone && now() - job.startedAt < MINUTE_MS).length,
  }
}
