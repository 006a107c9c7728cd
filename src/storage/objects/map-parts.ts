/** Runs `work` for 0 to `count - 1`, at most `limit` at once, and gives the answers in order. The first failure ends it, once none is in flight. */
export async function mapParts<Out>(
  count: number,
  limit: number,
  work: (n: number) => Promise<Out>,
): Promise<readonly Out[]> {
  const answers: Out[] = new Array(count)
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (next < count && !failed) {
      const n = next
      next += 1
      try {
        answers[n] = await work(n)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.min(limit, count) }, worker)
  const settled = await Promise.allSettled(workers)
  const failure = settled.find((one) => one.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return answers
}
