import { parseDuration } from '../../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { instantOfText } from '../../core/instant.ts'
import { faultPlan } from '../../sandbox/faults.ts'
import { SANDBOXES } from '../../sandbox/registry.ts'
import type { SandboxOptions } from '../../sandbox/service.ts'
import { type StartedSandbox, startSandbox } from '../../sandbox/start.ts'
import { flagOption, type Invocation, listOption, textOption } from '../invocation.ts'
import type { Runtime } from '../runtime.ts'

/** What runs beside Infisical unless `--with` or a fault names more. */
const USUAL_RECEIVERS = ['splunk']
const ALL = 'all'

/** Serves until a signal fires; that is its ordinary end. */
export async function sandboxCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const options = sandboxOptions(invocation, runtime.clock.now)
  const sandbox = await startSandbox({ ...options, services: servicesOf(invocation, options) })
  try {
    if (!sandbox.preloaded) {
      runtime.log.warn(
        'so many events are served by Infisical alone: the receivers start empty (--drop fills them)',
      )
    }
    const asJson =
      flagOption(invocation, 'json') ||
      textOption(invocation, 'output') === 'json' ||
      !runtime.io.stdoutIsTerminal
    await runtime.output.write(asJson ? oneLine(sandbox) : forPeople(sandbox))
    await runtime.output.flush()
    await fired(runtime.signal)
  } finally {
    await sandbox.close()
  }
  return EXIT.done
}

/** @throws UserError for a name that there is no sandbox of */
function servicesOf(invocation: Invocation, { faults }: SandboxOptions): readonly string[] {
  const known = Object.keys(SANDBOXES)
  const wanted = (textOption(invocation, 'with') ?? '').split(',').map((name) => name.trim())
  const named = [
    ...wanted.filter((name) => name !== '').map((name) => ['--with', name] as const),
    ...faults.list().map(({ service }) => ['--fault', service] as const),
  ]
  for (const [flag, name] of named) {
    if (known.includes(name) || (flag === '--with' && name === ALL)) continue
    throw new UserError(`${flag} names ${JSON.stringify(name)}, which the sandbox does not run`, {
      hint: `it can run ${known.join(', ')}`,
    })
  }
  const names = wanted.includes(ALL) ? known : named.map(([, name]) => name)
  return [...USUAL_RECEIVERS, ...names]
}

function sandboxOptions(invocation: Invocation, now: () => number): SandboxOptions {
  const events = wholeNumber(invocation, 'events', 0)
  return {
    ...(events === undefined ? {} : { events }),
    seed: wholeNumber(invocation, 'seed', 0) ?? 1,
    generation: textOption(invocation, 'generation') === '2025' ? '2025' : '2026',
    recent: flagOption(invocation, 'recent'),
    drop: dropOf(textOption(invocation, 'drop'), now()),
    faults: faultPlan(listOption(invocation, 'fault')),
    port: wholeNumber(invocation, 'port', 0) ?? 0,
    now,
  }
}

function wholeNumber(invocation: Invocation, name: string, least: number): number | undefined {
  const text = textOption(invocation, name)
  if (text === undefined) return undefined
  const value = Number(text.replaceAll('_', ''))
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UserError(`--${name} ${JSON.stringify(text)} is not a whole number`)
}

/** `FROM/TO`, each a time with zone or an age like `50m`. */
function dropOf(text: string | undefined, now: number): SandboxOptions['drop'] {
  if (text === undefined) return undefined
  const times = text.split('/').map((part) => {
    const age = parseDuration(part)
    return age === undefined ? instantOrThrow(part) : now - age
  })
  const [from, to] = times
  if (times.length !== 2 || from === undefined || to === undefined || from >= to) {
    throw new UserError(`--drop ${JSON.stringify(text)} is not FROM/TO`, {
      hint: 'write it like 50m/45m or 2026-11-20T12:40:00Z/2026-11-20T12:42:00Z',
    })
  }
  return { from, to }
}

function instantOrThrow(text: string): number {
  try {
    return instantOfText(text)
  } catch (cause) {
    throw new UserError(`--drop: ${JSON.stringify(text)} is not a time`, {
      cause,
      hint: 'write times like 2026-11-20T12:40:00Z, or ages like 50m',
    })
  }
}

function oneLine({ config, urls }: StartedSandbox): string {
  return `${JSON.stringify({ config, urls })}\n`
}

function forPeople({ config, urls }: StartedSandbox): string {
  const width = Math.max(...Object.keys(urls).map((name) => name.length))
  const lines = Object.entries(urls).map(([name, url]) => `  ${name.padEnd(width)}  ${url}`)
  return [
    'Strict servers with throwaway data are running on this machine:',
    '',
    ...lines,
    '',
    'Save this as sandbox.json, then add --config sandbox.json to any command:',
    '',
    JSON.stringify(config, null, 2),
    '',
    'They run until Ctrl-C.',
    '',
  ].join('\n')
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
