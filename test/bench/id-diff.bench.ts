/**
 * The diff kernel against `Set<string>`, each variant in a process of its own, in turns, judged by CPU time; then 20,000,000 against
 * 20,000,000 ids, where a Set fails. `node test/bench/id-diff.bench.ts [--quick]`
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IdDiff } from '../../src/core/id-diff.ts'
import { FileSpill } from '../../src/storage/id-spill.ts'

const ID_BYTES = 36
const BLOCK_IDS = 20_000
const MISSING_EVERY = 100_003
const HEX = Buffer.from('0123456789abcdef')
const MIB = 1024 * 1024

type Result = { readonly cpuSeconds: number; readonly missing: number; readonly peakMib: number }

/** Ids as they come from a file, 20,000 a block; the same numbers give the same ids. */
function* idBlocks(
  count: number,
  isWanted: (n: number) => boolean,
): Generator<{ block: Buffer; ids: number }> {
  const block = Buffer.alloc(BLOCK_IDS * ID_BYTES, '-')
  let ids = 0
  for (let n = 0; n < count; n += 1) {
    if (!isWanted(n)) continue
    writeUuid(block, ids * ID_BYTES, n)
    ids += 1
    if (ids < BLOCK_IDS) continue
    yield { block, ids }
    ids = 0
  }
  if (ids > 0) yield { block, ids }
}

function writeUuid(block: Buffer, at: number, n: number): void {
  let state = Math.imul(n + 1, 0x9e3779b1)
  let place = at
  for (const digits of [8, 4, 4, 4, 12]) {
    for (let i = 0; i < digits; i += 1) {
      if (i % 8 === 0) {
        state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + n
        state ^= state >>> 13
      }
      block[place] = HEX[(state >>> ((i % 8) * 4)) & 15] as number
      place += 1
    }
    place += 1
  }
  // Version 4, variant 1, as the products make them.
  block[at + 14] = 0x34
  block[at + 19] = HEX[8 + (n & 3)] as number
}

const isHeld = (n: number) => n % MISSING_EVERY !== 7
const isAny = () => true

/** What making the ids costs by itself, to be taken off both variants. */
function generate(count: number): number {
  let sum = 0
  for (const { ids } of idBlocks(count, isAny)) sum += ids
  for (const { ids } of idBlocks(count, isHeld)) sum += ids
  return sum * 0
}

function withSet(count: number): number {
  const held = new Set<string>()
  for (const { block, ids } of idBlocks(count, isHeld)) {
    for (let n = 0; n < ids; n += 1) held.add(block.toString('latin1', n * ID_BYTES, (n + 1) * ID_BYTES))
  }
  const missing: string[] = []
  for (const { block, ids } of idBlocks(count, isAny)) {
    for (let n = 0; n < ids; n += 1) {
      const id = block.toString('latin1', n * ID_BYTES, (n + 1) * ID_BYTES)
      if (!held.has(id)) missing.push(id)
    }
  }
  return missing.length
}

function withKernel(count: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'id-diff-'))
  let spill: FileSpill | undefined
  try {
    const diff = new IdDiff({
      spill: () => {
        spill = new FileSpill(folder)
        return spill
      },
    })
    for (const { block, ids } of idBlocks(count, isHeld)) {
      for (let n = 0; n < ids; n += 1) diff.addRightAt(block, n * ID_BYTES, (n + 1) * ID_BYTES)
    }
    for (const { block, ids } of idBlocks(count, isAny)) {
      for (let n = 0; n < ids; n += 1) diff.addLeftAt(block, n * ID_BYTES, (n + 1) * ID_BYTES)
    }
    let missing = 0
    for (const part of diff.parts()) missing += part.onlyLeft.length
    return missing
  } finally {
    spill?.close()
    rmSync(folder, { recursive: true })
  }
}

const VARIANTS: Readonly<Record<string, (count: number) => number>> = {
  generate,
  set: withSet,
  kernel: withKernel,
}

function runHere(variant: string, count: number): Result {
  const before = process.cpuUsage()
  const missing = VARIANTS[variant]?.(count) ?? Number.NaN
  const used = process.cpuUsage(before)
  return {
    cpuSeconds: (used.user + used.system) / 1e6,
    missing,
    peakMib: process.resourceUsage().maxRSS / 1024,
  }
}

function runApart(variant: string, count: number): Result {
  const args = ['--max-semi-space-size=16', fileURLToPath(import.meta.url), variant, String(count)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Result
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function compare(count: number, rounds: number): number {
  const seconds: Record<string, number[]> = { generate: [], set: [], kernel: [] }
  const expected = Math.ceil((count - 7) / MISSING_EVERY)
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of Object.keys(VARIANTS)) {
      const { cpuSeconds, missing } = runApart(variant, count)
      if (variant !== 'generate') assert.equal(missing, expected, `${variant} found another number of ids`)
      seconds[variant]?.push(cpuSeconds)
    }
  }
  const base = median(seconds['generate'] ?? [])
  const set = median(seconds['set'] ?? []) - base
  const kernel = median(seconds['kernel'] ?? []) - base
  console.log(
    `${count.toLocaleString('en')} ids: Set ${set.toFixed(2)} s, kernel ${kernel.toFixed(2)} s, ratio ${(set / kernel).toFixed(1)}`,
  )
  return set / kernel
}

function main(): void {
  const isQuick = process.argv.includes('--quick')
  const ratios = (isQuick ? [1_000_000] : [1_000_000, 5_000_000]).map((count) =>
    compare(count, isQuick ? 1 : 3),
  )
  if (isQuick) return
  const large = runApart('kernel', 20_000_000)
  console.log(
    `20,000,000 ids: kernel ${large.cpuSeconds.toFixed(1)} s with the making of the ids, peak ${large.peakMib.toFixed(0)} MiB`,
  )
  assert.ok(large.peakMib * MIB <= 350e6, `the peak of ${large.peakMib.toFixed(0)} MiB is over 350 MB`)
  const [, atFive = 0] = ratios
  assert.ok(atFive >= 6, `only ${atFive.toFixed(1)} times as fast as a Set`)
}

const [variant, count] = process.argv.slice(2)
if (variant !== undefined && count !== undefined) console.log(JSON.stringify(runHere(variant, Number(count))))
else main()
