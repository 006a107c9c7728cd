import type { SplunkOptions } from './options.ts'

/** SPL for what the stream holds without the events of a marked run; reads the mark from the raw event, as `_json` may extract no fields. */
export function replayQuery(options: SplunkOptions, run: string): string {
  const terms = [
    options.index === undefined ? undefined : `index=${options.index}`,
    options.source === undefined ? undefined : `source=${quoted(options.source)}`,
    `sourcetype=${options.sourcetype ?? '_json'}`,
  ]
  return [
    `search ${terms.filter((term) => term !== undefined).join(' ')}`,
    'spath input=_raw path=auditctl.run output=replay',
    `where isnull(replay) OR replay!=${quoted(run)}`,
  ].join(' | ')
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}
