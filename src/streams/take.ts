/** The first `count` items. The source is closed as soon as it gave them, and never asked for one more. */
export async function* take<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  if (count <= 0) return
  let taken = 0
  for await (const item of items) {
    yield item
    taken += 1
    if (taken >= count) return
  }
}
