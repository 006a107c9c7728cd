import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import { isoRange, type TimeRange } from '../core/time-range.ts'
import type { OpenStream } from './job.ts'
import type { Runtime } from './runtime.ts'

/** `--print-query`: for the engineer who has only the SIEM's page. */
export async function printQuery(
  runtime: Runtime,
  stream: OpenStream,
  window: TimeRange,
  source: string,
): Promise<ExitCode> {
  const text = stream.inventory?.queryText?.(window)
  if (text === undefined) {
    throw new UserError(
      `there is no query to print for the stream ${stream.destination.name} (${stream.destination.provider})`,
      {
        hint: 'export the ids it holds, one a line, and give them with --inventory FILE',
      },
    )
  }
  const { from, to } = isoRange(window)
  const feed = text.feed
    .replaceAll('{source}', source)
    .replaceAll('{stream}', stream.destination.name)
    .replaceAll('{from}', from)
    .replaceAll('{to}', to)
  await runtime.output.write(`${text.query}\n`)
  runtime.log.info(`run it here: ${text.where}`)
  runtime.log.info(`then feed its result back:\n${feed}`.replaceAll('\n', ' '))
  return EXIT.done
}
