import type { Key } from 'ink'
import { KEYS } from './keys.ts'
import type { KeyMessage, LineMessage, Message } from './messages.ts'
import type { AppState } from './state.ts'

const PROMPT_KEYS: Readonly<Record<string, LineMessage | KeyMessage>> = {
  enter: { type: 'enter' },
  esc: { type: 'back' },
  'ctrl+c': { type: 'back' },
  'ctrl+z': { type: 'suspend' },
  tab: { type: 'complete', by: 1 },
  'shift+tab': { type: 'complete', by: -1 },
  up: { type: 'recall', by: -1 },
  down: { type: 'recall', by: 1 },
  left: { type: 'caret', to: 'left' },
  right: { type: 'caret', to: 'right' },
  home: { type: 'caret', to: 'start' },
  end: { type: 'caret', to: 'end' },
  'ctrl+a': { type: 'caret', to: 'start' },
  'ctrl+e': { type: 'caret', to: 'end' },
  backspace: { type: 'erase', what: 'character' },
  'ctrl+w': { type: 'erase', what: 'word' },
  'ctrl+u': { type: 'erase', what: 'line' },
  space: { type: 'typed', text: ' ' },
}

/** A key: its name, and what it types. */
export type Press = { readonly name: string; readonly text: string }

const CONTROLS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x1b': 'esc',
  '\x7f': 'backspace',
}

/** The keys of one input, in their order: pressed faster than they are read they come together. */
export function pressesOf(input: string, key: Partial<Key>): readonly Press[] {
  const name = keyName(input, key)
  if (name !== undefined) return [{ name, text: key.ctrl === true || key.meta === true ? '' : input }]
  return Array.from(input, (character) => ({
    name: nameOf(character),
    text: /[\x00-\x1f\x7f]/.test(character) ? '' : character,
  }))
}

function nameOf(character: string): string {
  const code = character.charCodeAt(0)
  if (character === ' ') return 'space'
  return CONTROLS[character] ?? (code < 0x20 ? `ctrl+${String.fromCharCode(code + 0x60)}` : character)
}

/** What a key means on this screen; undefined where it means nothing. */
export function messageOf(
  state: Pick<AppState, 'view' | 'prompt'>,
  { name, text }: Press,
): Message | undefined {
  if (state.prompt !== undefined) {
    const message = PROMPT_KEYS[name]
    if (message !== undefined) return message
    return text === '' ? undefined : { type: 'typed', text }
  }
  return KEYS[state.view].find(({ keys }) => keys.includes(name))?.message
}

/** `down`, `ctrl+f`, `space`, `G`; undefined for several characters at once. */
function keyName(input: string, key: Partial<Key>): string | undefined {
  const named: readonly (readonly [boolean | undefined, string])[] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.leftArrow, 'left'],
    [key.rightArrow, 'right'],
    [key.pageDown, 'pagedown'],
    [key.pageUp, 'pageup'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'enter'],
    [key.escape, 'esc'],
    [key.tab, key.shift === true ? 'shift+tab' : 'tab'],
    [key.backspace, 'backspace'],
    [key.delete, 'backspace'],
  ]
  const found = named.find(([isPressed]) => isPressed === true)
  if (found !== undefined) return found[1]
  if (key.ctrl === true) return `ctrl+${input}`
  if (input === ' ') return 'space'
  return input.length === 1 ? input : undefined
}
