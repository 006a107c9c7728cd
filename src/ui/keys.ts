import type { KeyMessage } from './messages.ts'
import type { ViewName } from './state.ts'

/** A key and what it does: dispatched, listed in the help, and, with `hint`, named in the last line. */
export type KeyBinding = {
  readonly keys: readonly string[]
  readonly help: string
  readonly hint?: string
  readonly message: KeyMessage
}

const EVERYWHERE: readonly KeyBinding[] = [
  { keys: ['?'], help: 'this help', hint: 'help', message: { type: 'open-help' } },
  { keys: ['q'], help: 'quit', hint: 'quit', message: { type: 'quit', interrupted: false } },
  {
    keys: ['ctrl+c'],
    help: 'quit at once; a backfill can be resumed',
    message: { type: 'quit', interrupted: true },
  },
  { keys: ['ctrl+z'], help: 'to the shell; fg comes back', message: { type: 'suspend' } },
]

const MOVES: readonly KeyBinding[] = [
  { keys: ['j', 'down'], help: 'down', message: { type: 'move', by: 1 } },
  { keys: ['k', 'up'], help: 'up', message: { type: 'move', by: -1 } },
  { keys: ['pagedown', 'ctrl+f', 'ctrl+d'], help: 'a screen down', message: { type: 'turn', pages: 1 } },
  { keys: ['pageup', 'ctrl+b', 'ctrl+u'], help: 'a screen up', message: { type: 'turn', pages: -1 } },
  { keys: ['g', 'home'], help: 'to the top', message: { type: 'newest' } },
  { keys: ['G', 'end'], help: 'to the bottom', message: { type: 'oldest' } },
]

const BACK = { keys: ['esc', 'backspace'], message: { type: 'back' } } as const

/** Every key of every view, in the order of the help. */
export const KEYS: Readonly<Record<ViewName, readonly KeyBinding[]>> = {
  events: [
    ...MOVES,
    { keys: ['enter'], help: 'the whole event', hint: 'event', message: { type: 'open-detail' } },
    {
      keys: ['/'],
      help: 'filter; Tab completes, Up recalls',
      hint: 'filter',
      message: { type: 'open-filter' },
    },
    {
      keys: ['c'],
      help: 'coverage: what a stream’s SIEM lacks',
      hint: 'coverage',
      message: { type: 'open-coverage' },
    },
    { ...BACK, help: 'back to the coverage, or take the filter away' },
    {
      keys: ['left', 'h'],
      help: 'to the bar before, in time',
      hint: 'time',
      message: { type: 'cell', by: -1 },
    },
    { keys: ['right', 'l'], help: 'to the bar after, in time', message: { type: 'cell', by: 1 } },
    {
      keys: ['+', '='],
      help: 'half the window, around the selected event',
      message: { type: 'zoom', factor: 0.5 },
    },
    { keys: ['-'], help: 'twice the window', message: { type: 'zoom', factor: 2 } },
    { keys: ['['], help: 'the window earlier by half', message: { type: 'shift', by: -1 } },
    { keys: [']'], help: 'the window later by half', message: { type: 'shift', by: 1 } },
    { keys: ['0'], help: 'the window as at the start', message: { type: 'whole-window' } },
    {
      keys: ['space', 'm'],
      help: 'mark or unmark, and on to the next',
      hint: 'mark',
      message: { type: 'toggle-mark' },
    },
    { keys: ['u'], help: 'unmark all', message: { type: 'unmark' } },
    {
      keys: ['x'],
      help: 'export the marked events, or the selected one',
      hint: 'export',
      message: { type: 'open-export' },
    },
    {
      keys: ['f'],
      help: 'follow new events, or stop it',
      hint: 'follow',
      message: { type: 'toggle-follow' },
    },
    { keys: ['r'], help: 'read again', message: { type: 'reload' } },
    ...EVERYWHERE,
  ],
  detail: [
    ...MOVES,
    {
      keys: ['n', 'right', 'l'],
      help: 'the next event of the list',
      hint: 'next',
      message: { type: 'neighbour', by: 1 },
    },
    {
      keys: ['p', 'left', 'h'],
      help: 'the one before',
      hint: 'before',
      message: { type: 'neighbour', by: -1 },
    },
    {
      keys: ['t', 'tab'],
      help: 'its shape: native, as streamed, common',
      hint: 'shape',
      message: { type: 'next-shape' },
    },
    { keys: ['space', 'm'], help: 'mark or unmark', hint: 'mark', message: { type: 'toggle-mark' } },
    {
      keys: ['x'],
      help: 'export the marked events, or this one, in this shape',
      hint: 'export',
      message: { type: 'open-export' },
    },
    { ...BACK, keys: ['esc', 'backspace', 'enter'], help: 'back to the list', hint: 'back' },
    ...EVERYWHERE,
  ],
  coverage: [
    ...MOVES,
    {
      keys: ['enter'],
      help: 'the events of the selected gap; or choose the stream',
      hint: 'events',
      message: { type: 'drill' },
    },
    {
      keys: ['b'],
      help: 'backfill all that is missing: plan first, then it asks',
      hint: 'backfill all',
      message: { type: 'fill', which: 'all' },
    },
    {
      keys: ['s'],
      help: 'backfill the selected gap only',
      hint: 'this gap',
      message: { type: 'fill', which: 'selected' },
    },
    { keys: ['r'], help: 'compare again', hint: 'again', message: { type: 'compare-again' } },
    { ...BACK, help: 'back to the events', hint: 'back' },
    ...EVERYWHERE,
  ],
  backfill: [
    { keys: ['y'], help: 'send', hint: 'send', message: { type: 'answer', yes: true } },
    { keys: ['n'], help: 'do not send', hint: 'do not', message: { type: 'answer', yes: false } },
    { ...BACK, help: 'stop it in an orderly way; then back to the coverage', hint: 'back' },
    ...EVERYWHERE,
  ],
}

/** While the help is open. */
export const HELP_KEYS: readonly KeyBinding[] = [
  { ...BACK, keys: ['esc'], help: 'close the help', hint: 'closes' },
  { keys: ['pagedown'], help: 'more of it', hint: 'more', message: { type: 'turn', pages: 1 } },
]

/** While a line is being typed. */
export const PROMPT_HELP: readonly (readonly [keys: string, help: string])[] = [
  ['Enter', 'apply'],
  ['Tab, Shift+Tab', 'complete: filters, event types, actors'],
  ['Up, Down', 'earlier filters'],
  ['Ctrl+A, Ctrl+E', 'start, end of the line'],
  ['Ctrl+W, Ctrl+U', 'erase the word, the line'],
  ['Esc', 'leave it'],
]

const SHOWN: Readonly<Record<string, string>> = {
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  pagedown: 'PgDn',
  pageup: 'PgUp',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  esc: 'Esc',
  tab: 'Tab',
  backspace: 'Backspace',
  space: 'Space',
}

/** As a person reads it: `Ctrl+F`, `PgDn`, `G`. */
export function shownKey(key: string): string {
  return SHOWN[key] ?? key.replace(/^ctrl\+(.)$/, (_, letter: string) => `Ctrl+${letter.toUpperCase()}`)
}
