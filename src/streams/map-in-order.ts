/**
 * Runs `work` on up to `limit` items at once and yields the answers in the order the items came. A slow reader stops new work; a failed or
 * abandoned run waits for what is already in flight. When the signal fires no new work begins; `work` itself must obey it to end early.
 * It takes items, not promises: an async generator awaits a promise before it yields it, so promises would run one at a time.
 * @throws RangeError if `limit` is below 1; the signal's reason
 */
export async function* mapInOrder<In, Out>(
  items: AsyncIterable<In> | Iterable<In>,
  limit: number,
  work: (item: In) => Promise<Out>,
  signal?: AbortSignal,
): AsyncGenerator<Out> {
  if (!(limit >= 1)) throw new RangeError(`limit must be at least 1, not ${limit}`)
  const pending: Promise<Out>[] = []
  try {
    signal?.throwIfAborted()
    for await (const item of items) {
      signal?.throwIfAborted()
      const answer = work(item)
      // Reported below, in order.
      answer.catch(() => {})
      pending.push(answer)
      if (pending.length >= limit) yield await (pending.shift() as Promise<Out>)
    }
    while (pending.length > 0) {
      signal?.throwIfAborted()
      yield await (pending.shift() as Promise<Out>)
    }
  } finally {
    await Promise.allSettled(pending)
  }
}
