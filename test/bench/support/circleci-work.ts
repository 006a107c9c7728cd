import { systemClock } from '../../../src/cli/runtime.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { bindSecrets } from '../../../src/core/secret.ts'
import { createHttpClient } from '../../../src/http/client.ts'
import { circleci } from '../../../src/sources/circleci/index.ts'
import { openStore } from '../../../src/storage/objects/open-store.ts'

// `node --import …/resolve-sdks.ts circleci-work.ts WAY SETTINGS`: reads the whole bucket as the program does, or some of it one by one.

export type CircleDone = {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly objects: number
  readonly events: number
  readonly isInOrder: boolean
  readonly peakMiB: number
}

const END = Date.UTC(2026, 10, 20, 14)
const WINDOW = { from: END - 30 * 3_600_000, to: END }
/** Of the objects, read one after the other: enough to know what one costs. */
const SERIAL_OBJECTS = 100

if (import.meta.main) {
  const [, , way, text = ''] = process.argv
  const options = circleci.options.parse(JSON.parse(text))
  bindSecrets(options, (reference) => reference)
  const began = performance.now()
  const done = await (way === 'serial' ? serial(options) : whole(options))
  const wallSeconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1e6
  const peakMiB = process.resourceUsage().maxRSS / 1024
  process.stdout.write(
    `${JSON.stringify({ ...done, wallSeconds, cpuSeconds, peakMiB } satisfies CircleDone)}\n`,
  )
  process.exit(0)
}

type Options = ReturnType<typeof circleci.options.parse>
type Read = Pick<CircleDone, 'objects' | 'events' | 'isInOrder'>

async function serial(options: Options): Promise<Read> {
  const store = await openStore({ kind: 's3', ...options }, { clock: systemClock })
  const signal = new AbortController().signal
  let objects = 0
  listing: for await (const page of store.list(`${options.prefix}/year=`, signal)) {
    for (const { key } of page) {
      for await (const _ of store.read(key, signal));
      objects += 1
      if (objects === SERIAL_OBJECTS) break listing
    }
  }
  return { objects, events: 0, isInOrder: true }
}

async function whole(options: Options): Promise<Read> {
  const source = circleci.create('ci', options, {
    http: createHttpClient({ clock: systemClock, log: SILENT, env: {}, version: 'bench' }),
    clock: systemClock,
    log: SILENT,
    scratch: () => Promise.reject(new Error('nothing is spooled')),
    stdin: (async function* (): AsyncGenerator<Uint8Array> {})(),
    baseDir: '.',
    shape: () => Promise.reject(new Error('no other shape')),
    strict: true,
  })
  const signal = new AbortController().signal
  const open = await source.open(WINDOW, NO_FILTER, { order: 'asc', concurrency: 4, signal })
  const ids = new Set<string>()
  let [latest, isInOrder] = [0, true]
  for await (const slice of open.slices()) {
    for await (const page of open.read(slice, signal)) {
      for (const { id, occurredAtMs } of page) {
        // What comes twice came in its place the first time.
        if (ids.has(id)) continue
        ids.add(id)
        if (occurredAtMs < latest) isInOrder = false
        latest = occurredAtMs
      }
    }
  }
  return { objects: source.requests?.() ?? 0, events: ids.size, isInOrder }
}
