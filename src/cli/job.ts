import { resolve } from 'node:path'
import type { StreamCommon } from '../config/fields.ts'
import { ensureStateDir } from '../config/paths.ts'
import type { Destination, LatePolicy } from '../core/destination.ts'
import { durationOf } from '../core/duration.ts'
import { UserError } from '../core/errors.ts'
import type { HttpClient } from '../core/http.ts'
import type { Inventory } from '../core/inventory.ts'
import type { AuditSource } from '../core/source.ts'
import { HOUR_MS } from '../core/time-range.ts'
import type { FileInventory } from '../inventories/file.ts'
import type { Ledger } from '../state/ledger.ts'
import type { Lock } from '../state/lock.ts'
import { countOption, settleOf } from './flags.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import type { Runtime } from './runtime.ts'
import type { Settings } from './settings.ts'

const DEFAULT_CONCURRENCY = 4

export function concurrencyOf(invocation: Invocation): number {
  return countOption(invocation, 'concurrency') ?? DEFAULT_CONCURRENCY
}

const NO_HTTP: HttpClient = {
  service() {
    throw new TypeError('a source that makes no requests asked for a service')
  },
  async close() {},
}

/** The source that the command reads, closed when it ends. */
export async function openSource(
  settings: Settings,
  invocation: Invocation,
  runtime: Runtime,
  name = settings.sourceName(),
): Promise<AuditSource> {
  // Files are read without what makes requests; for all others it loads while the source does.
  const isLocal = settings.sourceEntry(name)['type'] === 'file'
  const [http] = await Promise.all([isLocal ? NO_HTTP : runtime.http(), settings.sourceSettings(name)])
  const source = await settings.openSource(name, {
    http,
    clock: runtime.clock,
    log: runtime.log,
    scratch: () => runtime.scratch(),
    stdin: runtime.io.stdin,
    strict: flagOption(invocation, 'strict'),
  })
  runtime.onExit(() => source.close())
  return source
}

/** A stream and what can be told of it; `inventory` is undefined where nothing can be looked up. */
export type OpenStream = {
  readonly destination: Destination
  readonly options: StreamCommon
  readonly inventory: Inventory | undefined
  /** The inventory is a file that does not say which window it covers. */
  readonly isUndatedFile: boolean
}

export async function openStream(
  settings: Settings,
  name: string,
  source: AuditSource,
  invocation: Invocation,
  runtime: Runtime,
  /** Of the run that goes on, where the command itself names none. */
  late?: LatePolicy,
): Promise<OpenStream> {
  settings.checkPair(source.name, name)
  const parts = { http: await runtime.http(), clock: runtime.clock, log: runtime.log }
  const destination = await settings.openStream(name, parts)
  runtime.onExit(() => destination.close())
  const { options } = await settings.streamSettings(name)
  const file = await fileInventory(invocation, runtime, settings)
  const restamps = (textOption(invocation, 'late') ?? late) === 'restamp'
  const searched = { ...parts, sourceName: source.name, restamps }
  const inventory = file ?? (await settings.openInventory(name, source.shape.type, searched))
  if (inventory !== undefined) runtime.onExit(() => inventory.close())
  return { destination, options, inventory, isUndatedFile: file !== undefined && file.covers === undefined }
}

async function fileInventory(
  invocation: Invocation,
  runtime: Runtime,
  settings: Settings,
): Promise<FileInventory | undefined> {
  const path = textOption(invocation, 'inventory')
  if (path === undefined) return undefined
  const { openFileInventory } = await import('../inventories/file.ts')
  const { inventoryWindow } = await import('./inventory-window.ts')
  const inventory = await openFileInventory({
    path: path === '-' ? path : resolve(path),
    stdin: runtime.io.stdin,
    baseDir: settings.file.baseDir,
    signal: runtime.signal,
    field: textOption(invocation, 'inventoryField'),
    window: inventoryWindow(invocation, runtime),
  })
  if (inventory.covers === undefined)
    runtime.log.warn(`${path} does not say which window it covers: it is taken as complete`)
  return inventory
}

/** @throws UserError when the command's stream is not named and cannot be guessed */
export function streamName(settings: Settings, invocation: Invocation): string {
  const named = textOption(invocation, 'stream')
  if (named !== undefined) return named
  const [only] = settings.streamNames
  if (settings.streamNames.length === 1 && only !== undefined) return only
  throw new UserError('which stream?', {
    hint:
      settings.streamNames.length === 0
        ? 'auditctl stream add configures one'
        : `--stream ${settings.streamNames.join(', --stream ')}`,
  })
}

export async function openLedger(runtime: Runtime): Promise<Ledger> {
  const { Ledger } = await import('../state/ledger.ts')
  const ledger = await Ledger.open(ensureStateDir(runtime.io.env), runtime.clock)
  runtime.onExit(() => ledger.close())
  return ledger
}

/** One run at a time for a pair. @throws LockedError */
export async function lockPair(
  invocation: Invocation,
  runtime: Runtime,
  source: string,
  stream: string,
): Promise<Lock> {
  const { acquireLock } = await import('../state/lock.ts')
  const lock = await acquireLock(ensureStateDir(runtime.io.env), `the pair ${source} and ${stream}`, {
    owner: invocation.path.join(' '),
    wait: flagOption(invocation, 'wait'),
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
  })
  runtime.onExit(() => lock.release())
  return lock
}

/** How far before now judging may reach: the largest of settle, the source's `liveRetry` and the stream's grace. */
export function judgeableUntil(
  invocation: Invocation,
  runtime: Runtime,
  source: AuditSource,
  stream: OpenStream,
): number {
  const settle = settleOf(invocation)
  const now = runtime.clock.now()
  if (settle.isGiven) return now - settle.ms
  const liveRetryMs = stream.options.liveRetry ?? source.traits.liveRetryMs
  return now - Math.max(settle.ms, liveRetryMs, stream.destination.traits.graceMs)
}

export function maxRateOf(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'maxRate')
  if (text === undefined) return undefined
  const rate = Number(text.replace(/\/s$/, ''))
  if (Number.isFinite(rate) && rate > 0) return rate
  throw new UserError(`--max-rate: ${JSON.stringify(text)} is not a rate`, { hint: 'write it like 500/s' })
}

export function olderThan(invocation: Invocation): number {
  return durationOf(
    textOption(invocation, 'olderThan') ?? `${(90 * 24 * HOUR_MS) / HOUR_MS}h`,
    '--older-than',
  )
}
