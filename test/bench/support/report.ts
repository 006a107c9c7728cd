import type { Medians } from './compare.ts'

/** Prints the medians; `events` adds the rate by CPU time. */
export function printCosts(medians: Medians, events?: number): void {
  for (const [name, { cpuSeconds, wallSeconds }] of medians) {
    const rate =
      events === undefined ? '' : `${Math.round(events / cpuSeconds / 1000)}k events/CPU s`.padStart(22)
    print(
      `  ${name.padEnd(34)} ${cpuSeconds.toFixed(3).padStart(9)} s CPU ${wallSeconds.toFixed(2).padStart(8)} s wall${rate}`,
    )
  }
}

/** One measure of the issue: prints PASS or FAIL, and a FAIL makes the bench end with 1. */
export function verdict(
  what: string,
  value: number,
  bound: { readonly atLeast: number } | { readonly atMost: number },
): void {
  const limit = 'atLeast' in bound ? `at least ${bound.atLeast}` : `at most ${bound.atMost}`
  const isMet = 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost
  print(`  ${isMet ? 'PASS' : 'FAIL'}  ${what}: ${value.toFixed(2)} (${limit})`)
  if (!isMet) process.exitCode = 1
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** `--events 300000`, `--events=300000` or the default. */
export function numberFlag(name: string, fallback: number): number {
  const at = process.argv.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  const text = at < 0 ? undefined : (process.argv[at]?.split('=')[1] ?? process.argv[at + 1])
  return text === undefined ? fallback : Number(text.replaceAll('_', ''))
}
