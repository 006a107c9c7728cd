import { join } from 'node:path'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import type { HttpClient } from '../../../../src/core/http.ts'
import type { Log } from '../../../../src/core/runtime.ts'
import type { EventShape, OpenWindow, Order } from '../../../../src/core/source.ts'
import type { TimeRange } from '../../../../src/core/time-range.ts'
import { file } from '../../../../src/sources/file/index.ts'
import type { OpenStore } from '../../../../src/storage/objects/open-store.ts'
import { fakeClock } from '../../../support/fake-clock.ts'

export const WINDOW: TimeRange = {
  from: Date.parse('2026-11-20T00:00:00Z'),
  to: Date.parse('2026-11-21T00:00:00Z'),
}

/** An event of Infisical's query API, `seconds` into the window. */
export function eventText(n: number, seconds: number, extra = ''): string {
  const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
  const time = new Date(WINDOW.from + Math.round(seconds * 1000)).toISOString()
  return `{"id":"${id}","createdAt":"${time}","orgId":"o","projectId":null,"event":{"type":"create-secret","metadata":{"n":${n}}},"actor":{"type":"user","metadata":{"email":"a@b.c"}}${extra}}`
}

export type OpenedFile = {
  readonly events: AuditEvent[]
  readonly slices: { readonly range: TimeRange; readonly events: AuditEvent[] }[]
  readonly warnings: readonly string[]
  readonly logged: readonly string[]
  readonly broken: number
}

export type ReadFileOptions = {
  readonly of?: string
  readonly strict?: boolean
  readonly stdin?: AsyncIterable<Uint8Array>
  readonly window?: TimeRange
  readonly order?: Order
  readonly shape?: EventShape
  readonly concurrency?: number
  readonly signal?: AbortSignal
  readonly openStore?: OpenStore
}

/** Reads all of a window through the file source; `folder` is the base of relative paths and holds the scratch folder. */
export async function readSource(
  folder: string,
  path: string,
  options: ReadFileOptions = {},
): Promise<OpenedFile> {
  const logged: string[] = []
  const { opened, window } = await openSource(folder, path, options, logged)
  const { signal = new AbortController().signal } = options
  try {
    const slices: { range: TimeRange; events: AuditEvent[] }[] = []
    for await (const slice of opened.slices()) {
      const events: AuditEvent[] = []
      for await (const page of opened.read(slice, signal)) events.push(...page)
      slices.push({ range: slice.range, events })
    }
    const warnings = opened.warnings()
    const broken = opened.brokenLines?.() ?? Number.NaN
    return {
      events: slices.flatMap((slice) => slice.events),
      slices,
      warnings,
      logged,
      broken,
      ...{ window },
    }
  } finally {
    await opened.close()
  }
}

export async function openSource(
  folder: string,
  path: string,
  options: ReadFileOptions = {},
  logged: string[] = [],
): Promise<{ readonly opened: OpenWindow; readonly window: TimeRange }> {
  const log: Log = { debug: () => {}, info: () => {}, warn: (message) => logged.push(message) }
  const settings = file.options.parse({
    type: 'file',
    path,
    ...(options.of === undefined ? {} : { of: options.of }),
  })
  const source = await file.create('old', settings, {
    http: undefined as unknown as HttpClient,
    clock: fakeClock(),
    log,
    scratch: async () => {
      const { mkdir } = await import('node:fs/promises')
      await mkdir(join(folder, 'scratch'), { recursive: true })
      return join(folder, 'scratch')
    },
    stdin: options.stdin ?? (async function* (): AsyncGenerator<Uint8Array> {})(),
    baseDir: folder,
    shape: async (type) => {
      if (options.shape === undefined) throw new Error(`no shape ${type}`)
      return options.shape
    },
    strict: options.strict ?? false,
    ...(options.openStore === undefined ? {} : { openStore: options.openStore }),
  })
  const window = options.window ?? WINDOW
  const { order = 'asc', concurrency = 4, signal = new AbortController().signal } = options
  return { opened: await source.open(window, NO_FILTER, { order, concurrency, signal }), window }
}

export function textOfEvent(event: AuditEvent): string {
  return Buffer.from(event.bytes).toString('utf8')
}
