import type { CommandSpec } from './tree/option-specs.ts'
import { READING_COMMANDS } from './tree/reading-commands.ts'
import { REFILLING_COMMANDS } from './tree/refilling-commands.ts'
import { TENDING_COMMANDS } from './tree/tending-commands.ts'

/** The command tree as data: commander, completion scripts and the manual page are all made from it. */
export const COMMANDS: readonly CommandSpec[] = [
  ...READING_COMMANDS,
  ...REFILLING_COMMANDS,
  ...TENDING_COMMANDS,
]
