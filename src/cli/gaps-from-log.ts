import { resolve } from 'node:path'
import { UserError } from '../core/errors.ts'
import { isoTime, type TimeRange } from '../core/time-range.ts'
import type { LogFinding, LogWindow } from '../sources/infisical/server-log.ts'
import { readLogLine, windowsOfLog } from '../sources/infisical/server-log.ts'
import { joined } from '../state/proven.ts'
import { readFileBlocks, readText } from '../storage/files.ts'
import type { Runtime } from './runtime.ts'

/**
 * The windows that a self-hosted server's own log says to check, told to the user with what it claims; joined where they overlap.
 * @throws UserError when the log tells of no loss that could be found again
 */
export async function windowsFromLog(
  path: string,
  runtime: Runtime,
): Promise<{ readonly windows: readonly TimeRange[]; readonly typed: string }> {
  const findings: LogFinding[] = []
  for await (const line of linesOf(resolve(path), runtime)) {
    const finding = readLogLine(line)
    if (finding !== undefined) findings.push(finding)
  }
  const gone = findings.filter(({ kind }) => kind === 'not-stored').length
  if (gone > 0) {
    runtime.log.warn(
      `${gone} events were lost before the server stored them (L4): no log has them, they cannot be backfilled`,
    )
  }
  const undated = findings.filter(({ atMs }) => Number.isNaN(atMs)).length
  if (undated > 0)
    runtime.log.warn(
      `${undated} lines about lost events have no date and were left out: give the log as JSON`,
    )
  const windows = windowsOfLog(findings)
  for (const window of windows) runtime.log.info(describe(window))
  if (windows.length === 0) {
    throw new UserError(`${path} tells of no loss that can be looked for`, {
      hint:
        findings.length === 0
          ? 'is it the log of the Infisical server (pino JSON or text)?'
          : 'batches failed there and were delivered by a retry; check with --from and --to',
    })
  }
  return {
    windows: joined(windows),
    typed: `log ${windows.map(({ from, to }) => `${from}-${to}`).join(',')}`,
  }
}

function describe(window: LogWindow): string {
  const stream =
    window.streamId === undefined
      ? ''
      : ` of the stream ${window.streamId} (${window.provider ?? 'unknown provider'})`
  const claim =
    window.claimed === 0
      ? 'no count is claimed'
      : `${window.claimed.toLocaleString('en-US')} dropped events are claimed`
  const named = window.eventIds.length === 0 ? '' : `, ${window.eventIds.length} of them by id`
  return `the log says to check ${isoTime(window.from)} to ${isoTime(window.to)}${stream}: ${claim}${named} (${window.because.join(', ')})`
}

async function* linesOf(path: string, runtime: Runtime): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const block of readText(readFileBlocks(path, runtime.signal), path)) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
