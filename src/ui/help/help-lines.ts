import { KEYS, PROMPT_HELP, shownKey } from '../keys.ts'
import type { ViewName } from '../state.ts'
import type { Theme } from '../theme.ts'

const TITLES: Readonly<Record<ViewName, string>> = {
  events: 'Events',
  detail: 'One event',
  coverage: 'Coverage: source against SIEM',
  backfill: 'Backfill',
}

/** Every key there is, those of the view one came from first. */
export function helpLines(view: ViewName, theme: Theme, columns: number): readonly string[] {
  const views = [
    view,
    ...(['events', 'detail', 'coverage', 'backfill'] as const).filter((other) => other !== view),
  ]
  const keyColumn = columns >= 50 ? 24 : Math.max(6, Math.floor(columns / 3))
  const line = (keys: string, help: string): string =>
    `${theme.paint('bold', theme.cell(keys, keyColumn))} ${theme.cell(help, Math.max(1, columns - keyColumn - 1)).trimEnd()}`
  const sections = views.map((name) => [
    theme.paint('key', theme.cut(TITLES[name], columns)),
    ...KEYS[name].map(({ keys, help }) => line(keys.map(shownKey).join('  '), help)),
    '',
  ])
  const prompt = [
    theme.paint('key', theme.cut('While typing a filter or a file name', columns)),
    ...PROMPT_HELP.map(([keys, help]) => line(keys, help)),
  ]
  return [...sections.flat(), ...prompt]
}
