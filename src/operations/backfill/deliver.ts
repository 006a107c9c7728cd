import { mapInOrder } from '../../streams/map-in-order.ts'
import { deliverBatch } from './attempts.ts'
import type { Batch } from './batches.ts'
import type { Engine } from './engine.ts'
import { packSpool } from './pack-spool.ts'
import { type Stretch, stretchesToSend } from './stretches.ts'
import type { Work } from './types.ts'

/** What is left to send of the run. */
export function toSend({ parts, run }: Work): readonly Stretch[] {
  return stretchesToSend(parts.ledger.ranges(run.id), { events: run.spooled, bytes: run.spoolBytes })
}

/**
 * Sends what is left of the spool before that position, oldest first, in full batches; requests start in order and a few may be in flight.
 * Returns when every one of them has a recorded fate or is unknown, or when the far side has stopped answering.
 */
export async function deliverSpool(engine: Engine, before: number): Promise<void> {
  const { parts } = engine.work
  const batches = batchesToSend(engine, toSend(engine.work), before, undefined)
  // The first goes alone: what is wrong with the credentials or the settings is then told once.
  if (!(await deliverFirst(engine, batches))) return engine.condemn()
  const rest = whileAnswered(engine, batches)
  const done = mapInOrder(rest, parts.destination.traits.concurrency, (batch) => settle(engine, batch))
  for await (const _ of done) parts.signal.throwIfAborted()
  engine.condemn()
}

/** `--probe`: one request of at most `most` events, whatever has to be set aside before it. Gives what was sent. */
export async function deliverProbe(
  engine: Engine,
  before: number,
  most: number,
): Promise<Stretch | undefined> {
  const batches = batchesToSend(engine, toSend(engine.work), before, most)
  const sent = await deliverFirst(engine, batches)
  engine.condemn()
  return sent
}

async function deliverFirst(engine: Engine, batches: Generator<Batch>): Promise<Batch | undefined> {
  for (;;) {
    const { value: batch, done } = batches.next()
    if (done === true) return undefined
    await settle(engine, batch)
    engine.work.parts.signal.throwIfAborted()
    if (batch.fate === 'send') return batch
  }
}

async function settle(engine: Engine, batch: Batch): Promise<void> {
  if (batch.fate !== 'send') return engine.setAside(batch.items)
  try {
    await deliverBatch(engine, batch)
  } catch (error) {
    engine.halt(error)
    throw error
  }
}

function* whileAnswered(engine: Engine, batches: Iterable<Batch>): Generator<Batch> {
  for (const batch of batches) {
    if (engine.isUnanswered) return
    yield batch
  }
}

function batchesToSend(
  engine: Engine,
  stretches: readonly Stretch[],
  before: number,
  most: number | undefined,
): Generator<Batch> {
  const { traits } = engine.work.parts.destination
  const { maxRate } = engine.work.options
  // A batch of many seconds' worth would not be a rate.
  const maxEvents = Math.min(
    most ?? Number.POSITIVE_INFINITY,
    traits.limits.maxEvents ?? Number.POSITIVE_INFINITY,
    maxRate === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(maxRate)),
  )
  const limits = { ...traits.limits, maxEvents: Number.isFinite(maxEvents) ? maxEvents : null }
  return packSpool(engine.work, stretches, before, engine.encodeOptions, { ...traits, limits }, engine.large)
}
