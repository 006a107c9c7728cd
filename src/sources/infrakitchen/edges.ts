import type { EpochMs } from '../../core/time-range.ts'

/** When the row at that offset of the ascending list was written; undefined beyond its end. */
export type TimeAt = (offset: number) => Promise<EpochMs | undefined>

/**
 * The first offset whose row is not before `at`, in a list of `total` rows whose last one is not: at most log2(total) rounded up probes.
 * Rows that come and go meanwhile make it a guess, which reading verifies by what it meets.
 */
export async function findEdge(timeAt: TimeAt, total: number, at: EpochMs): Promise<number> {
  let low = 0
  let high = Math.max(0, total - 1)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const ms = await timeAt(middle)
    if (ms === undefined || ms >= at) high = middle
    else low = middle + 1
  }
  return low
}

/** How many rows there are, found by doubling, where the answer does not say. */
export async function countRows(timeAt: TimeAt): Promise<number> {
  let beyond = 1024
  while ((await timeAt(beyond)) !== undefined) beyond *= 2
  let low = 0
  let high = beyond
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await timeAt(middle)) === undefined) high = middle
    else low = middle + 1
  }
  return low
}
