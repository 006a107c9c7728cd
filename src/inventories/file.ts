import type { Check } from '../core/check.ts'
import { UserError } from '../core/errors.ts'
import type { IdSet } from '../core/id-set.ts'
import type { FilledEnd, HeldRows, Inventory, InventoryEnd, InventoryTraits } from '../core/inventory.ts'
import { isoTime, type TimeRange } from '../core/time-range.ts'
import { type FileSpill, temporarySpill } from '../storage/id-spill.ts'
import { takeHeader } from './file/header.ts'
import { type InputOptions, idInputs, type OpenedInput } from './file/inputs.ts'
import { readIds } from './file/read-ids.ts'
import type { IdSink } from './file/row-reader.ts'
import { SetSink, TextSink } from './file/sinks.ts'

export type FileInventoryOptions = InputOptions & {
  /** `--inventory-field`: a dotted path, a JSON pointer or a CSV column; undefined tries the usual places. */
  readonly field?: string | undefined
  /** `--inventory-window`; wins over the file's own header. */
  readonly window?: TimeRange | undefined
  /** Bytes of ids in memory; what is more goes to a temporary file. */
  readonly maxIdBytes?: number | undefined
}

/** What a file says a SIEM holds. */
export interface FileInventory extends Inventory {
  /** The window that the file covers, by flag or by its header; undefined: it is taken as complete for any window, which is worth a warning. */
  readonly covers: TimeRange | undefined
  fill: NonNullable<Inventory['fill']>
}

/**
 * Opens a file or stdin of ids as an inventory: one a line, JSON Lines, a JSON array or CSV, plain or packed. Its ids are not read yet, but
 * its first line is. stdin is read once: its ids can be asked for a single time.
 * @throws UserError when there is no such file, or its header cannot be understood
 */
export async function openFileInventory(options: FileInventoryOptions): Promise<FileInventory> {
  const inputs = await idInputs(options)
  const windows: (TimeRange | undefined)[] = []
  let tellsTime = inputs.length > 0
  for (const input of inputs) {
    const head = input.head()
    try {
      windows.push((await takeHeader(head, input.name)).header?.window)
    } finally {
      await head.return(undefined)
    }
    tellsTime &&= await isTimed(input, options)
  }
  return new IdFile(options, inputs, options.window ?? joined(windows), tellsTime)
}

/** Whether every row of the first block tells when its event happened. */
async function isTimed(input: OpenedInput, { field, signal }: FileInventoryOptions): Promise<boolean> {
  const sink = new TextSink()
  const reading = readIds({ name: input.name, text: () => input.head() }, field, sink, signal)
  try {
    await reading.next()
    return sink.isTimed
  } finally {
    await reading.return(undefined)
  }
}

class IdFile implements FileInventory {
  readonly name: string
  readonly traits: InventoryTraits
  readonly covers: TimeRange | undefined
  readonly spilling: NonNullable<Inventory['spilling']>
  readonly #inputs: readonly OpenedInput[]
  readonly #field: string | undefined
  readonly #isStdin: boolean
  readonly #spills: FileSpill[] = []
  #reads = 0
  /** Why the file was found not to be whole: reading it again would say the same. */
  #problem: string | undefined

  constructor(
    options: FileInventoryOptions,
    inputs: readonly OpenedInput[],
    covers: TimeRange | undefined,
    tellsTime: boolean,
  ) {
    this.traits = { tellsDuplicates: true, tellsTime }
    this.#isStdin = options.path === '-'
    this.name = this.#isStdin ? 'stdin' : options.path
    this.covers = covers
    this.#inputs = inputs
    this.#field = options.field
    // A file is one piece, however long it is.
    this.spilling = {
      maxBytes: options.maxIdBytes,
      open: () => {
        const spill = temporarySpill()
        this.#spills.push(spill)
        return spill
      },
    }
  }

  async plan(window: TimeRange): Promise<readonly TimeRange[]> {
    const { covers } = this
    if (covers !== undefined && (window.from < covers.from || window.to > covers.to)) {
      throw new UserError(
        `${this.name} covers ${spell(covers)}, which is less than the ${spell(window)} that is asked about`,
        {
          hint: 'ask about a window inside it with --from and --to, or export the ids of the whole window',
          code: 'inventory-window',
        },
      )
    }
    return [window]
  }

  async *ids(
    _window: TimeRange,
    options: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const sink = new TextSink()
    const reading = this.#read(sink, options.signal)
    try {
      for (let next = await reading.next(); ; next = await reading.next()) {
        if (sink.ids.length > 0) yield sink.empty()
        if (next.done === true) return next.value
      }
    } finally {
      await reading.return({ exhausted: false })
    }
  }

  async fill(
    window: TimeRange,
    set: IdSet,
    options: Parameters<FileInventory['fill']>[2],
  ): Promise<FilledEnd> {
    const sink = new SetSink(window, set, options.onRepeat)
    const reading = this.#read(sink, options.signal)
    for (let next = await reading.next(); ; next = await reading.next()) {
      if (next.done === true) return { ...next.value, rows: sink.rows }
    }
  }

  async test(signal: AbortSignal): Promise<readonly Check[]> {
    if (this.#isStdin) return [{ check: 'inventory', state: 'ok', message: 'ids are read from stdin' }]
    const sink = new TextSink()
    for (const input of this.#inputs) {
      const reading = readIds(input, this.#field, sink, signal)
      try {
        const first = await reading.next()
        if (first.done === true && first.value !== undefined) {
          return [{ check: 'inventory', state: 'failure', message: first.value }]
        }
      } finally {
        await reading.return(undefined)
      }
    }
    const seen = sink.ids[0] === undefined ? 'no ids' : `ids such as ${sink.ids[0]}`
    return [{ check: 'inventory', state: 'ok', message: `${this.name} holds ${seen}` }]
  }

  queries(): number {
    return this.#reads
  }

  async close(): Promise<void> {
    for (const spill of this.#spills) spill.close()
  }

  async *#read(sink: IdSink, signal: AbortSignal): AsyncGenerator<undefined, InventoryEnd> {
    if (this.#problem !== undefined) return { exhausted: false, reason: this.#problem }
    if (this.#isStdin && this.#reads > 0) {
      throw new UserError('the ids on stdin can be read only once', {
        hint: 'save them to a file and name that',
      })
    }
    this.#reads += 1
    for (const input of this.#inputs) {
      const problem = yield* readIds(input, this.#field, sink, signal)
      if (problem === undefined) continue
      this.#problem = problem
      return { exhausted: false, reason: problem }
    }
    return { exhausted: true }
  }
}

/** The window that several files cover together; undefined when one of them declares none, or they leave a hole. */
function joined(windows: readonly (TimeRange | undefined)[]): TimeRange | undefined {
  const known = windows.filter((window) => window !== undefined).sort((a, b) => a.from - b.from)
  const first = known[0]
  if (first === undefined || known.length < windows.length) return undefined
  let { to } = first
  for (const window of known) {
    if (window.from > to) return undefined
    to = Math.max(to, window.to)
  }
  return { from: first.from, to }
}

function spell({ from, to }: TimeRange): string {
  return `${isoTime(from)} to ${isoTime(to)}`
}
