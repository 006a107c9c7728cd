import type { DeliveryBatch, Destination, Receipt, RunNote } from '../core/destination.ts'
import { AuditctlError, EXIT } from '../core/errors.ts'
import { type ArchiveLine, ArchiveWriter, type Partition } from '../storage/objects/archive-writer.ts'
import { originOf } from '../storage/objects/event-origin.ts'
import { openStore } from '../storage/objects/open-store.ts'
import type { ObjectStore } from '../storage/objects/store.ts'
import { mapInOrder } from '../streams/map-in-order.ts'
import { type Judgement, joinReceipt, judgeWrite } from './archive-judge.ts'
import { type ArchiveStream, DEFAULT_LIMITS, HARD_LIMITS } from './archive-options.ts'
import type { DestinationParts } from './define-destination.ts'
import { acceptsOf, limitsOf, withMark } from './envelope.ts'
import { canaryOf, checkCanary, UNPROVED } from './plain-receiver.ts'

const FRAME = { open: '', separator: '\n', close: '\n' }

/** What the three providers' definitions have in common. */
export const ARCHIVE = {
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  lateDefault: 'skip',
  graceMs: 0,
  searchable: 'ids, by reading the objects back',
} as const

/** Objects of one batch in flight. */
const WRITES_IN_FLIGHT = 4
const MANIFEST_TIMEOUT_MS = 30_000

/** The run of `test`, which has no manifest. */
const CANARY = 'canary'

export function createArchive(name: string, stream: ArchiveStream, parts: DestinationParts): Destination {
  const { options, service } = stream
  const { clock, log } = parts
  const layout = options.layout ?? 'hive'
  const compression = options.compress ?? (layout === 'circleci' ? 'none' : 'gzip')
  const writers = new Map<string, ArchiveWriter>()
  const notes = new Map<string, RunNote>()
  let opened: Promise<ObjectStore> | undefined
  const store = (): Promise<ObjectStore> => {
    opened ??= (parts.openStore ?? openStore)(stream.store, parts)
    opened.catch(() => {
      opened = undefined
    })
    return opened
  }
  const judged = (url: string) => ({ service, stream: name, url, now: clock.now() })

  async function writerOf(run: string, type: string): Promise<ArchiveWriter> {
    const key = `${run}\n${type}`
    const known = writers.get(key)
    if (known !== undefined) return known
    const asked = notes.get(run)
    const writer = new ArchiveWriter(await store(), {
      prefix: options.prefix,
      layout,
      compression,
      source: asked?.source ?? { name: type, type },
      asked,
    })
    writers.set(key, writer)
    return writer
  }

  async function write(writer: ArchiveWriter, { lines }: Partition, signal: AbortSignal): Promise<Judgement> {
    try {
      const { isNew } = await writer.write(lines, signal)
      return isNew
        ? { fate: 'accepted', code: 'created', reason: 'created' }
        : { fate: 'accepted', code: 'exists', reason: 'was there before, with the same content' }
    } catch (error) {
      if (signal.aborted)
        return { fate: 'unknown', code: 'aborted', reason: 'stopped while the object was being written' }
      const judgement = judgeWrite(error, judged((await store()).url))
      if (judgement.fate === 'unknown') writer.incomplete(`${lines.length} events: ${judgement.reason}`)
      return judgement
    }
  }

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    signal.throwIfAborted()
    const lines = new Map<string, { lines: ArchiveLine[]; positions: number[] }>()
    for (const [position, bytes] of batch.encoded.entries()) {
      const { atMs, type } = originOf(bytes, notes.get(batch.run)?.source.type)
      const own = lines.get(type) ?? { lines: [], positions: [] }
      lines.set(type, own)
      own.lines.push({ bytes, id: batch.ids[position] ?? '', atMs })
      own.positions.push(position)
    }
    const work: { writer: ArchiveWriter; partition: Partition; positions: readonly number[] }[] = []
    for (const [type, own] of lines) {
      const writer = await writerOf(batch.run, batch.run === CANARY ? 'auditctl-test' : type)
      for (const partition of writer.partitions(own.lines)) {
        work.push({ writer, partition, positions: partition.positions.map((at) => own.positions[at] ?? 0) })
      }
    }
    const judgements: { judgement: Judgement; positions: readonly number[] }[] = []
    const written = mapInOrder(work, WRITES_IN_FLIGHT, async ({ writer, partition, positions }) => ({
      judgement: await write(writer, partition, signal),
      positions,
    }))
    for await (const one of written) judgements.push(one)
    return joinReceipt(judgements)
  }

  return {
    name,
    provider: stream.store.kind,
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      accepts: acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? 0,
      concurrency: 2,
    },
    encode: (streamed, _event, { mark }) => withMark(streamed, mark),
    begins: (note) => void notes.set(note.run, note),
    deliver,
    async test({ send, signal }) {
      const check = 'bucket'
      try {
        const bucket = await store()
        await bucket.probe(signal)
        const reached = { check, state: 'ok' as const, message: `${bucket.url} may be listed` }
        if (!send) return [reached, UNPROVED]
        const canary = canaryOf(clock)
        const sendOne = (encoded: readonly Uint8Array[], ids: readonly string[]) =>
          deliver({ encoded, ids, run: CANARY }, { signal })
        return [reached, await checkCanary(canary, sendOne, canary.event)]
      } catch (error) {
        if (!(error instanceof AuditctlError)) throw error
        const hint = error.hint === undefined ? {} : { hint: error.hint }
        const refused = error.exitCode === EXIT.auth ? { refused: true as const } : {}
        return [{ check, state: 'failure', message: error.message, ...hint, ...refused }]
      }
    },
    async close() {
      for (const { run, source, journal } of notes.values()) {
        // An earlier process may have written all there was to write, and not have lived to list it.
        if ((journal?.lines().length ?? 0) > 0) await writerOf(run, source.type)
      }
      if (opened === undefined) return
      const bucket = await opened
      for (const [key, writer] of writers) {
        const run = key.slice(0, key.indexOf('\n'))
        if (run === CANARY) continue
        try {
          await writer.writeManifest(run, clock.now(), AbortSignal.timeout(MANIFEST_TIMEOUT_MS))
        } catch (error) {
          const { reason } = judgeWrite(error, judged(bucket.url))
          log.warn(`stream ${name}: the events are stored, but the manifest of run ${run} is not: ${reason}`)
        }
      }
      writers.clear()
      await bucket.close()
    },
  }
}
