import type { Notice } from '../../core/browser.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { holdStderr } from '../browse/hold-stderr.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { flagOption, type Invocation } from '../invocation.ts'
import type { Io, Runtime } from '../runtime.ts'

/** `auditctl browse`: events, coverage and backfills on a screen of their own, until it is left. */
export async function browseCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  if (flagOption(invocation, 'explain')) {
    const { explainBrowse } = await import('../browse/open.ts')
    return explainBrowse(invocation, runtime)
  }
  const { stdin, stdout } = screenOf(runtime.io)
  // The screen stands before the source is opened: both take their time, and only one of them is ours.
  const { openBrowser } = await import('../../ui/open-browser.tsx')
  let notify: (notice: Notice) => void = () => {}
  const release = holdStderr(runtime.io, (text) => {
    const line = text.trim()
    if (line !== '') notify(noticeOf(line))
  })
  try {
    await openBrowser({
      stdin,
      stdout,
      env: runtime.io.env,
      color: runtime.color,
      signal: runtime.signal,
      clock: runtime.clock,
      async open(tell) {
        notify = tell
        // Not before: the first screen would take a third longer.
        keepMemoryFlat()
        const { openForBrowser } = await import('../browse/open.ts')
        return openForBrowser(invocation, runtime)
      },
    })
  } finally {
    release()
  }
  return EXIT.done
}

/** A line of the log as it would have been written. */
function noticeOf(line: string): Notice {
  const warning = /^warning: (.*)$/s.exec(line)
  return warning === null ? { level: 'info', text: line } : { level: 'warning', text: warning[1] ?? '' }
}

/** @throws UserError where there is no terminal that can be drawn on, naming what does the same without */
function screenOf(io: Io): { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream } {
  const { stdin, stdout, stdinIsTerminal, stdoutIsTerminal, env } = io
  const hint = 'auditctl query prints the same events; --follow goes on with new ones'
  if (!stdinIsTerminal || !stdoutIsTerminal || !isScreen(stdout)) {
    const what = stdinIsTerminal ? 'stdout' : 'stdin'
    throw new UserError(`browse needs a terminal, and ${what} is none`, { code: 'no-terminal', hint })
  }
  if (env['TERM'] === 'dumb')
    throw new UserError('browse needs a terminal whose cursor can be moved, and TERM is dumb', {
      code: 'no-terminal',
      hint,
    })
  return { stdin, stdout }
}

function isScreen(stream: NodeJS.WritableStream): stream is NodeJS.WriteStream {
  return 'columns' in stream && 'isTTY' in stream
}
