/**
 * Objects up and down through our store against the vendor's SDK used plainly, over the strict S3 sandbox.
 * `npm run bench objects [-- --rounds 5]`; the SDK is the one that `npm run test:real` installs.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { WorkDone, WorkOrder } from './support/object-work.ts'
import { numberFlag, print, verdict } from './support/report.ts'
import { firstLine, stop } from './support/sandbox.ts'

const SDKS = join(import.meta.dirname, '../real/node_modules/@aws-sdk/client-s3')
const HOOK = pathToFileURL(join(import.meta.dirname, '../real/resolve-sdks.ts')).href
const SUPPORT = join(import.meta.dirname, 'support')
const MIB = 1024 * 1024
const rounds = numberFlag('rounds', 5)
const LARGE_MIB = 1024
/** The program itself, and four parts of 16 MiB on their way. */
const MAX_MIB = 260

const SIZES = [
  { name: '64 KiB', bytes: 64 * 1024, count: 400, inFlight: 8 },
  { name: '8 MiB', bytes: 8 * MIB, count: 12, inFlight: 4 },
  { name: '96 MiB in parts', bytes: 96 * MIB, count: 2, inFlight: 1 },
]
const PAIRS = [
  { task: 'put', ours: 'store', theirs: 'sdk', what: 'created' },
  { task: 'put', ours: 'protocol', theirs: 'sdk-head', what: 'created and looked at' },
  { task: 'get', ours: 'store', theirs: 'sdk', what: 'read' },
] as const

async function measure(): Promise<void> {
  for (const size of SIZES) {
    for (const { task, ours, theirs, what } of PAIRS) {
      // A server for each: it keeps everything in memory.
      await withServer(async (settings) => {
        const order = { ...size, task, settings }
        if (task === 'get') await work({ ...order, way: 'sdk', task: 'put', folder: 'read' })
        const best = { ours: NONE, theirs: NONE }
        // In turns, so that what else the machine does falls on both alike; the best is what it can do undisturbed.
        for (let round = 0; round < rounds; round += 1) {
          for (const [side, way] of [
            ['ours', ours],
            ['theirs', theirs],
          ] as const) {
            const folder = task === 'get' ? 'read' : `${way}-${round}`
            best[side] = better(best[side], await work({ ...order, way, folder }))
          }
        }
        say(`${size.name}, ${what}`, size, best)
      })
    }
  }
  await withServer(async (settings) => {
    const order = {
      bytes: LARGE_MIB * MIB,
      count: 1,
      inFlight: 1,
      folder: 'large',
      settings,
      way: 'store',
    } as const
    // Without the object that warms up: it would be as large.
    const put = await work({ ...order, task: 'put', isCold: true })
    const get = await work({ ...order, task: 'get', isCold: true })
    // What is written lies in memory already, and its parts are views of it.
    verdict(`MiB at most beside the object, ${LARGE_MIB} MiB written`, put.peakMiB - LARGE_MIB, {
      atMost: MAX_MIB,
    })
    verdict(`MiB at most, ${LARGE_MIB} MiB read`, get.peakMiB, { atMost: MAX_MIB })
  })
}

async function withServer(use: (settings: Record<string, string>) => Promise<void>): Promise<void> {
  const server = spawn(process.execPath, [join(SUPPORT, 'object-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await use(JSON.parse(await firstLine(server)) as Record<string, string>)
  } finally {
    await stop(server)
  }
}

const NONE: WorkDone = { wallSeconds: Infinity, cpuSeconds: Infinity, peakMiB: Infinity }

function better(a: WorkDone, b: WorkDone): WorkDone {
  return {
    wallSeconds: Math.min(a.wallSeconds, b.wallSeconds),
    cpuSeconds: Math.min(a.cpuSeconds, b.cpuSeconds),
    peakMiB: Math.min(a.peakMiB, b.peakMiB),
  }
}

function say(
  what: string,
  { bytes, count }: (typeof SIZES)[number],
  { ours, theirs }: { readonly ours: WorkDone; readonly theirs: WorkDone },
): void {
  const mibs = (bytes * count) / MIB
  for (const [name, { wallSeconds, cpuSeconds, peakMiB }] of [
    ['ours', ours],
    ['the SDK', theirs],
  ] as const) {
    print(
      `  ${what.padEnd(34)} ${name.padEnd(8)} ${(mibs / wallSeconds).toFixed(0).padStart(6)} MiB/s ${cpuSeconds.toFixed(2).padStart(7)} s CPU ${peakMiB.toFixed(0).padStart(5)} MiB`,
    )
  }
  // On a busy machine wall time tells of its other work, so bytes a CPU second count as well: here nobody waits for a network.
  const byTime = theirs.wallSeconds / ours.wallSeconds
  const byCpu = theirs.cpuSeconds / ours.cpuSeconds
  verdict(`${what}, of the SDK's throughput`, Math.max(byTime, byCpu), { atLeast: 0.8 })
}

async function work(order: WorkOrder): Promise<WorkDone> {
  const child = spawn(
    process.execPath,
    ['--import', HOOK, join(SUPPORT, 'object-work.ts'), JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    return JSON.parse(await firstLine(child)) as WorkDone
  } finally {
    await stop(child)
  }
}

if (existsSync(SDKS)) await measure()
else print('  skipped: the AWS SDK is not installed; npm run test:real installs it')
