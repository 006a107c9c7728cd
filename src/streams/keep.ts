/** The pages with only the items that pass the test. Pages left empty are passed on: they still say that something was read. */
export async function* keep<T>(
  pages: AsyncIterable<readonly T[]>,
  test: (item: T) => boolean,
): AsyncGenerator<readonly T[]> {
  for await (const page of pages) yield page.filter(test)
}
