/**
 * CircleCI's bucket with 10,000 objects on a store 50 ms away: read as the program does against one object after the other, and the memory
 * that takes. `npm run bench circleci [-- --objects 10000]`; the SDK is the one that `npm run test:real` installs.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CircleDone } from './support/circleci-work.ts'
import { numberFlag, print, verdict } from './support/report.ts'
import { firstLine, stop } from './support/sandbox.ts'

const SDKS = join(import.meta.dirname, '../real/node_modules/@aws-sdk/client-s3')
const HOOK = pathToFileURL(join(import.meta.dirname, '../real/resolve-sdks.ts')).href
const SUPPORT = join(import.meta.dirname, 'support')
/** Four events a file, and every tenth file comes twice. */
const EVENTS_AN_OBJECT = 4 / 1.1
const MAX_MIB = 320
const objects = numberFlag('objects', 10_000)

async function measure(): Promise<void> {
  const many = await reading(objects, 'whole')
  const one = await reading(objects / 10, 'serial')
  const serialSeconds = (one.wallSeconds / one.objects) * objects
  print(
    `  ${objects} objects: ${many.wallSeconds.toFixed(1)} s (${many.cpuSeconds.toFixed(1)} s CPU), ${many.events} events, ${many.objects} requests`,
  )
  print(`  one after the other: ${serialSeconds.toFixed(0)} s, by ${one.objects} of them`)
  verdict('times as fast as one after the other', serialSeconds / many.wallSeconds, { atLeast: 5 })
  verdict('share of the events, in order', many.isInOrder ? many.events / eventsOf(objects) : 0, {
    atLeast: 1,
  })
  // What neighbouring slices share is kept up to 48 MiB; beyond that nothing grows with their number.
  verdict('MiB at most', many.peakMiB, { atMost: MAX_MIB })
}

function eventsOf(count: number): number {
  return Math.round(count * EVENTS_AN_OBJECT)
}

async function reading(count: number, way: 'whole' | 'serial'): Promise<CircleDone> {
  const faults = ['circleci:small-files', 'circleci:latency=50']
  const server = spawn(
    process.execPath,
    [join(SUPPORT, 'object-server.ts'), 'circleci', String(eventsOf(count)), ...faults],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const settings = await firstLine(server)
    const child = spawn(
      process.execPath,
      ['--import', HOOK, join(SUPPORT, 'circleci-work.ts'), way, settings],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    try {
      return JSON.parse(await firstLine(child)) as CircleDone
    } finally {
      await stop(child)
    }
  } finally {
    await stop(server)
  }
}

if (existsSync(SDKS)) await measure()
else print('  skipped: the AWS SDK is not installed; npm run test:real installs it')
