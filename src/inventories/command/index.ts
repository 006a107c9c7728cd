import type { Check } from '../../core/check.ts'
import { AuditctlError, UserError } from '../../core/errors.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { redact } from '../../core/secret.ts'
import { shellWord } from '../../core/shell-word.ts'
import { HOUR_MS, isoRange, isoTime, type TimeRange } from '../../core/time-range.ts'
import { type CommandEnd, describeEnd, startCommand } from '../../storage/command.ts'
import { cutByDay } from '../cut-by-day.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { readPrinted } from './read-printed.ts'
import type { CommandSettings } from './settings.ts'

/** For one run of the command. */
const TIMEOUT_MS = 600_000
const MAX_RUNS = 10_000

/**
 * A command that prints the ids held in a window: `AUDITCTL_FROM` (inside), `AUDITCTL_TO` (outside) and `AUDITCTL_CURSOR` in its environment; ids
 * or JSON Lines on its stdout, then `{"auditctl":"end","count":N}`, with `"next"` when it wants to be run again with that cursor.
 */
export const command = defineInventory<CommandSettings>({
  provider: 'command',
  create: (name, settings, parts) =>
    settings.inventory !== undefined && 'command' in settings.inventory
      ? createInventory(name, settings.inventory.command, settings.idField, parts)
      : undefined,
})

function createInventory(
  name: string,
  argv: readonly string[],
  idField: string | undefined,
  parts: InventoryParts,
): Inventory {
  let runs = 0
  const program = JSON.stringify(argv[0] ?? '')

  /** One run; ends with the cursor of the next one, or with what is wrong. */
  async function* run(window: TimeRange, cursor: string, signal: AbortSignal) {
    runs += 1
    const limit = AbortSignal.timeout(TIMEOUT_MS)
    const { from, to } = isoRange(window)
    const running = await startCommand(argv, {
      signal: AbortSignal.any([signal, limit]),
      cwd: parts.baseDir,
      env: { AUDITCTL_FROM: from, AUDITCTL_TO: to, AUDITCTL_CURSOR: cursor },
    })
    try {
      const printed = yield* readPrinted(running.stdout, idField)
      const ended = await running.ended
      // What was wrong with its text is why it was killed, not how it ended.
      if (printed.problem !== undefined && ended.signal === 'SIGKILL') return printed
      const failure = failureOf(ended)
      return failure === undefined ? printed : { problem: failure }
    } catch (error) {
      signal.throwIfAborted()
      if (!limit.aborted) throw error
      return { problem: `it was still running after ${TIMEOUT_MS / 1000} s` }
    }
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const cursors = new Set<string>()
    for (let cursor = ''; ; ) {
      const { problem, next } = yield* run(window, cursor, signal)
      if (problem !== undefined) return incomplete(problem)
      if (next === undefined) return { exhausted: true }
      if (cursors.has(next))
        return incomplete(`it gave the cursor ${JSON.stringify(next.slice(0, 80))} twice`)
      if (cursors.size >= MAX_RUNS) return incomplete(`it still had a cursor after ${MAX_RUNS} runs`)
      cursors.add(next)
      cursor = next
    }
  }

  const incomplete = (problem: string): InventoryEnd => ({
    exhausted: false,
    reason: `the command ${program}: ${problem}`,
  })

  async function test(signal: AbortSignal): Promise<readonly Check[]> {
    const check = 'inventory command'
    const now = parts.clock.now()
    const window = { from: now - HOUR_MS, to: now }
    try {
      const rows = ids(window, { signal })
      let count = 0
      for (;;) {
        const step = await rows.next()
        if (step.done !== true) {
          count += step.value.ids.length
          continue
        }
        const { exhausted, reason = 'its answer was not whole' } = step.value
        return [
          exhausted
            ? { check, state: 'ok', message: `${program} told ${count} ids of the last hour` }
            : { check, state: 'failure', message: reason, hint: HINT },
        ]
      }
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      return [{ check, state: 'failure', message: error.message, hint: error.hint ?? HINT }]
    }
  }

  return {
    name,
    // It may leave repeats out or print them; what it prints is counted.
    traits: { tellsDuplicates: true, tellsTime: false },
    async plan(window) {
      if (argv.length === 0) throw new UserError(`stream ${name}: inventory.command names no program`)
      return cutByDay(window)
    },
    ids,
    queryText: (window) => ({
      query: `AUDITCTL_FROM=${isoTime(window.from)} AUDITCTL_TO=${isoTime(window.to)} ${redact(argv.map(shellWord).join(' '))}`,
      where: `a shell, in ${parts.baseDir}; it must end with exit code 0 and {"auditctl":"end","count":N}`,
      feed: `auditctl gaps --stream ${name} --from ${isoTime(window.from)} --to ${isoTime(window.to)} runs it by itself; saved to a file without its last line it can be given with --inventory FILE`,
    }),
    test,
    queries: () => runs,
    close: async () => {},
  }
}

const HINT =
  'run it by hand with AUDITCTL_FROM and AUDITCTL_TO set; its last line must be {"auditctl":"end","count":N}'

function failureOf(end: CommandEnd): string | undefined {
  if (end.exitCode === 0) return undefined
  return `it ${describeEnd(end)}${end.complaint === '' ? '' : `: ${end.complaint}`}`
}
