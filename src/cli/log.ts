import { escapeText } from '../core/escape-text.ts'
import type { Clock, Log, LogFields } from '../core/runtime.ts'
import { redact } from '../core/secret.ts'

/** 0: nothing but errors, 1: notices, 2: `-v`, 3: `-vv`. */
export type LogLevel = 0 | 1 | 2 | 3

/** Lines to stderr: `{time, level, msg, …}` a line with `--log-format json`, words otherwise. Repeats of a warning are said once. */
export function createLog(options: {
  readonly level: LogLevel
  readonly json: boolean
  readonly write: (text: string) => void
  readonly clock: Clock
  /** Called before a line is written, so that a progress line can be taken away first. */
  readonly before?: () => void
}): Log {
  const said = new Set<string>()
  const line = (level: string, message: string, fields: LogFields): void => {
    options.before?.()
    const clean = redact(message)
    if (options.json) {
      const record = { time: new Date(options.clock.now()).toISOString(), level, msg: clean, ...fields }
      options.write(`${redact(JSON.stringify(record))}\n`)
      return
    }
    const details = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`)
    const tail = details.length > 0 && options.level >= 2 ? ` (${details.join(' ')})` : ''
    options.write(`${level === 'info' ? '' : `${level}: `}${redact(escapeText(clean + tail))}\n`)
  }
  return {
    debug(message, fields = {}) {
      if (options.level >= 2) line('debug', message, fields)
    },
    info(message, fields = {}) {
      if (options.level >= 1) line('info', message, fields)
    },
    warn(message, fields = {}) {
      if (options.level < 1 || said.has(message)) return
      said.add(message)
      line('warning', message, fields)
    },
  }
}
