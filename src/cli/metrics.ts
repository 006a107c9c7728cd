import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ensureStateDir } from '../config/paths.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import { SECOND_MS } from '../core/time-range.ts'
import { writeFileWhole } from '../state/whole-file.ts'
import type { Runtime } from './runtime.ts'

/** What a command tells about one pair; counts that it does not know are left out. */
export type StreamMetrics = {
  readonly source: string
  readonly stream?: string | undefined
  readonly scanned?: number
  readonly missing?: number
  readonly delivered?: number
  readonly rejected?: number
  readonly late?: number
  readonly unresolved?: number
  readonly provenUntil?: string | null
}

export type Metrics = { readonly streams: StreamMetrics[] }

const COUNTS = ['scanned', 'missing', 'delivered', 'rejected', 'late', 'unresolved'] as const

/**
 * Writes Prometheus text for the node exporter's textfile collector: aside and renamed, also when the command failed. The last success
 * comes from the ledger's folder, so a failing command does not forget it. Names are the contract's, section 2.5.
 */
export function writeMetrics(
  path: string,
  command: string,
  exitCode: ExitCode,
  durationMs: number,
  runtime: Runtime,
): void {
  const pairs = runtime.metrics.streams.length > 0 ? runtime.metrics.streams : [{ source: '', stream: '' }]
  const now = runtime.clock.now()
  const remembered = readSuccess(runtime)
  const lines = new Map<string, string[]>()
  const put = (name: string, labels: string, value: number): void => {
    const all = lines.get(name) ?? []
    all.push(`${name}{${labels}} ${value}`)
    lines.set(name, all)
  }
  for (const pair of pairs) {
    const labels = labelsOf({ source: pair.source, stream: pair.stream ?? '', command })
    for (const name of COUNTS) {
      const value = pair[name]
      if (value !== undefined) put(`auditctl_events_${name}_total`, labels, value)
    }
    put('auditctl_duration_seconds', labels, Math.round(durationMs) / SECOND_MS)
    if (exitCode === EXIT.done) remembered[labels] = Math.round(now / SECOND_MS)
    const success = remembered[labels]
    if (success !== undefined) put('auditctl_last_success_timestamp_seconds', labels, success)
    if (pair.provenUntil)
      put('auditctl_proven_until_timestamp_seconds', labels, Date.parse(pair.provenUntil) / SECOND_MS)
    put('auditctl_last_exit_code', labels, exitCode)
  }
  const text = [...lines].flatMap(([name, values]) => [`# TYPE ${name} gauge`, ...values]).join('\n')
  writeFileWhole(resolve(path), `${text}\n`, 0o644)
  if (exitCode === EXIT.done) writeFileWhole(successPath(runtime), JSON.stringify(remembered))
}

function successPath(runtime: Runtime): string {
  return resolve(ensureStateDir(runtime.io.env), 'last-success.json')
}

function readSuccess(runtime: Runtime): Record<string, number> {
  try {
    return JSON.parse(readFileSync(successPath(runtime), 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}

/** Values escaped as the text format asks. */
function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
    )
    .join(',')
}
