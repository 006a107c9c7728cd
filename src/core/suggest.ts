/** How many letters must be added, taken away, changed or swapped with their neighbour to turn one word into the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The known word that was probably meant, letter case and `-` or `_` aside; undefined when none is near enough to be worth saying. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '')
  const asked = plain(word)
  let best: string | undefined
  // A third of the letters may be wrong: more is another word.
  let bestDistance = Math.max(1, Math.floor(asked.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(asked, plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean X?` when a known word is near, else the list of what there is; undefined when there is nothing. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const near = nearest(word, known)
  if (near !== undefined) return `did you mean ${near}?`
  return known.length === 0 ? undefined : `there is ${known.join(', ')}`
}
