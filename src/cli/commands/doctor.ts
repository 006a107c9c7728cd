import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stateDir } from '../../config/paths.ts'
import type { Check } from '../../core/check.ts'
import { AuditctlError, EXIT, type ExitCode, InterruptedError, UserError } from '../../core/errors.ts'
import type { AuditSource } from '../../core/source.ts'
import { counted } from '../counted.ts'
import { failureOf } from '../doctor/examine.ts'
import { configurationChecks } from '../doctor/local-checks.ts'
import { sourceChecks } from '../doctor/source-checks.ts'
import { stateChecks } from '../doctor/state-folder.ts'
import { streamChecks } from '../doctor/stream-checks.ts'
import { watchHttp } from '../doctor/watch-http.ts'
import { wireChecks } from '../doctor/wire-checks.ts'
import { type SettingsExtras, settingsFor } from '../entry-actions.ts'
import { flagOption, type Invocation, textOption, typedOption } from '../invocation.ts'
import { canAsk, openPrompter } from '../prompt.ts'
import { printChecks } from '../run-checks.ts'
import type { Runtime } from '../runtime.ts'
import type { Settings } from '../settings.ts'

/** `auditctl doctor`: looks at everything that a run depends on; 0, or 3 when a check failed. */
export async function doctorCommand(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras = {},
): Promise<ExitCode> {
  const { env } = runtime.io
  const folder = stateDir(env)
  const state = await stateChecks(folder)
  const loaded = await configuration(invocation, runtime, extras)
  if ('failure' in loaded) return print([loaded.failure, ...state], invocation, runtime)
  const { settings } = loaded
  const canary = textOption(invocation, 'canary')
  if (canary !== undefined) await agreeToSend(canary, settings, invocation, runtime)
  const checks: Check[] = [...(await configurationChecks(settings, env)), ...state]
  const { http, sightings } = watchHttp(await runtime.http())
  const parts = {
    http,
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
    scratch: () => runtime.scratch(),
    stdin: runtime.io.stdin,
    settings,
  }
  const ledger = await existingLedger(folder, runtime, checks)
  const opened: AuditSource[] = []
  const closed: (() => Promise<void>)[] = []
  try {
    const only = typedOption(invocation, 'source')
    const names = only === undefined ? settings.sourceNames : [only]
    const ofSources = await Promise.all(
      names.map(async (name) => {
        const { checks: found, source } = await sourceChecks(name, parts)
        if (source !== undefined) {
          opened.push(source)
          closed.push(() => source.close())
        }
        return found
      }),
    )
    const ofStreams = await Promise.all(
      settings.streamNames.map((name) =>
        streamChecks(name, { ...parts, sources: opened, ledger, isCanary: name === canary }),
      ),
    )
    checks.push(...ofSources.flat(), ...ofStreams.flat())
  } finally {
    for (const close of closed) await close()
  }
  runtime.signal.throwIfAborted()
  checks.push(...wireChecks(sightings(), { now: runtime.clock.now(), env }))
  return print(checks, invocation, runtime)
}

/** A doctor's answer is in its lines: refused credentials are one failure among others. */
function print(checks: readonly Check[], invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const plain = checks.map(({ refused: _, ...check }) => check)
  return printChecks({ checks: plain, isRefused: false }, invocation, runtime).then((code) =>
    code === EXIT.done ? code : EXIT.answerIsNo,
  )
}

async function configuration(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<{ readonly settings: Settings } | { readonly failure: Check }> {
  try {
    const settings = await settingsFor(invocation, runtime, extras)
    const source = typedOption(invocation, 'source')
    if (source !== undefined) settings.sourceEntry(source)
    return { settings }
  } catch (error) {
    // A name on the command line that is nothing is a slip of the hand, not an illness.
    const isTyped = error instanceof AuditctlError && /^unknown-/.test(error.code)
    if (!(error instanceof UserError) || isTyped) throw error
    return { failure: failureOf('configuration', error) }
  }
}

/** @throws UserError when nobody is there to be asked, or says no */
async function agreeToSend(
  stream: string,
  settings: Settings,
  invocation: Invocation,
  runtime: Runtime,
): Promise<void> {
  settings.streamEntry(stream)
  if (flagOption(invocation, 'yes')) return
  if (!canAsk(runtime.io)) {
    throw new UserError(`--canary sends one to three test events to ${stream}`, {
      hint: 'add --yes to agree to that',
    })
  }
  const prompter = openPrompter(runtime.io, runtime.signal)
  try {
    const isAgreed = await prompter.confirm(`Send one to three test events to ${stream}? They stay there.`)
    if (!isAgreed) throw new UserError('nothing was sent', { hint: 'leave --canary out' })
  } finally {
    prompter.close()
  }
}

/** Looks at the ledger where there is one; a doctor makes none. */
async function existingLedger(folder: string, runtime: Runtime, checks: Check[]) {
  if (!existsSync(join(folder, 'ledger.db'))) return undefined
  try {
    const { Ledger } = await import('../../state/ledger.ts')
    const { isUnfinished } = await import('../../state/run-record.ts')
    const ledger = await Ledger.open(folder, runtime.clock)
    runtime.onExit(() => ledger.close())
    const unfinished = ledger.listRuns().filter(isUnfinished)
    const message = `it can be read; ${counted(ledger.listRuns().length, 'run')}`
    checks.push({ check: 'ledger', state: 'ok', message })
    for (const { id, status } of unfinished.slice(0, 3)) {
      const hint = `auditctl runs show ${id}; auditctl runs resume ${id} finishes it`
      checks.push({ check: 'ledger', state: 'warning', message: `the run ${id} is ${status}`, hint })
    }
    return ledger
  } catch (error) {
    if (!(error instanceof AuditctlError) || error instanceof InterruptedError) throw error
    checks.push(failureOf('ledger', error))
    return undefined
  }
}
