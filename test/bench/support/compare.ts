import type { Cost } from './run.ts'

/** A way to do the work, in turns with the others: each round runs all of them once. */
export type Variant = { readonly name: string; readonly run: (round: number) => Promise<Cost> }
export type Medians = ReadonlyMap<string, Cost>

/** Medians of interleaved rounds; the first one only warms up where `warmUp` says so. */
export async function compare(
  variants: readonly Variant[],
  rounds: number,
  { warmUp = false }: { readonly warmUp?: boolean } = {},
): Promise<Medians> {
  const costs = new Map<string, Cost[]>(variants.map(({ name }) => [name, []]))
  for (let round = warmUp ? -1 : 0; round < rounds; round += 1) {
    for (const { name, run } of variants) {
      const cost = await run(round)
      if (round >= 0) costs.get(name)?.push(cost)
    }
  }
  return new Map(
    [...costs].map(([name, all]) => [
      name,
      {
        cpuSeconds: median(all.map((cost) => cost.cpuSeconds)),
        wallSeconds: median(all.map((cost) => cost.wallSeconds)),
        stderr: '',
      },
    ]),
  )
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function costOf(medians: Medians, name: string): Cost {
  const cost = medians.get(name)
  if (cost === undefined) throw new Error(`no variant ${name}`)
  return cost
}
