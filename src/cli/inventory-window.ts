import { UserError } from '../core/errors.ts'
import type { TimeRange } from '../core/time-range.ts'
import { parseInstant } from '../core/time-words.ts'
import { timeContext } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { Runtime } from './runtime.ts'

/** The window that an inventory file covers, from `--inventory-window FROM/TO`. @throws UserError */
export function inventoryWindow(invocation: Invocation, runtime: Runtime): TimeRange | undefined {
  const text = textOption(invocation, 'inventoryWindow')
  if (text === undefined) return undefined
  const [from, to, ...rest] = text.split('/')
  if (from === undefined || to === undefined || rest.length > 0) {
    throw new UserError(`--inventory-window: ${JSON.stringify(text)} is not FROM/TO`, {
      hint: 'write it like 2026-11-19T00:00:00Z/2026-11-20T00:00:00Z',
    })
  }
  const context = timeContext(invocation, runtime)
  const window = {
    from: parseInstant(from, '--inventory-window', context),
    to: parseInstant(to, '--inventory-window', context),
  }
  if (window.from >= window.to)
    throw new UserError('--inventory-window ends before it begins', { hint: 'write it FROM/TO' })
  return window
}
