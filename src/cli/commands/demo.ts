import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { shellWord } from '../../core/shell-word.ts'
import { isoTime, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import { faultPlan } from '../../sandbox/faults.ts'
import { SANDBOXES } from '../../sandbox/registry.ts'
import type { SandboxService } from '../../sandbox/service.ts'
import { startSandbox } from '../../sandbox/start.ts'
import { demoSteps, runStep } from '../demo-steps.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { type Runtime, systemClock } from '../runtime.ts'

/** The sandbox's last event lies half an hour back; its stream was down for this long, a little before. */
const OUTAGE_MS = 90 * SECOND_MS

/**
 * `auditctl demo`: the whole job, each step the real program in a process of its own, against strict servers on loopback. Counts at the
 * receiver, not from our own report; leaves nothing behind unless `--keep`.
 */
export async function demoCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const provider = textOption(invocation, 'stream') ?? 'splunk'
  const known = Object.keys(SANDBOXES).filter((name) => name !== 'infisical')
  if (!known.includes(provider))
    throw new UserError(`there is no sandbox of ${JSON.stringify(provider)}`, {
      hint: `choose one of ${known.join(', ')}`,
    })
  const folder = await mkdtemp(join(tmpdir(), 'auditctl-demo-'))
  const window = await recordedWindow()
  const now = runtime.clock.now()
  const end = now - 30 * MINUTE_MS
  const middle = end - (window.to - window.from) / 2
  const drop = { from: Math.round(middle - OUTAGE_MS / 2), to: Math.round(middle + OUTAGE_MS / 2) }
  const sandbox = await startSandbox({
    seed: 1,
    generation: '2026',
    recent: true,
    drop,
    faults: faultPlan(),
    now: runtime.clock.now,
    services: [provider],
  })
  try {
    const receiver = sandbox.services[provider] as SandboxService
    const [stream = ''] = Object.keys(receiver.config.streams ?? {})
    const configPath = join(folder, 'config.json')
    await writeFile(configPath, `${JSON.stringify(withShortGrace(sandbox.config, stream), null, 2)}\n`, {
      mode: 0o600,
    })
    const env = { ...runtime.io.env, AUDITCTL_CONFIG: configPath, AUDITCTL_STATE_DIR: join(folder, 'state') }
    const say = (text: string): Promise<void> => runtime.output.write(`${text}\n`)
    const held = new Set(receiver.receivedIds?.() ?? [])
    const span = {
      from: toSecond(end - (window.to - window.from) - MINUTE_MS),
      to: toSecond(end + MINUTE_MS),
    }
    await say(
      `An Infisical server holds ${count(window.events)} recorded audit events. Its stream to ${provider} was down from ${clock(drop.from)} to ${clock(drop.to)} UTC,`,
    )
    await say(
      `so ${provider} holds only ${count(held.size)} of them. Everything below is the real program and its real output.\n`,
    )
    const idsFile = await idsOfUnsearchable(receiver, sandbox.config, stream, folder)
    for (const step of demoSteps({ stream, span, idsFile })) {
      await say(`# ${step.title}`)
      await say(`$ auditctl ${step.words.join(' ')}`)
      const code = await runStep(step, { env, folder, runtime })
      if (code !== step.expects)
        throw new UserError(`the step ended with exit code ${code} instead of ${step.expects}`, {
          hint: 'this is a bug: please report the lines above',
        })
      await say(step.expects === 0 ? '' : `(exit code ${code})\n`)
      if (step.refreshIds === true) await idsOfUnsearchable(receiver, sandbox.config, stream, folder)
    }
    const ids = receiver.receivedIds?.() ?? []
    await say(`# Counted at the receiver, not from our own report`)
    await say(
      `${provider} now holds ${count(new Set(ids).size)} of ${count(window.events)} events, ${count(ids.length - new Set(ids).size)} of them twice; ${receiver.violations.length} violations of its rules.`,
    )
    if (flagOption(invocation, 'keep'))
      await keep(sandbox.urls, configPath, env['AUDITCTL_STATE_DIR'] ?? '', stream, runtime)
    return EXIT.done
  } finally {
    await sandbox.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function keep(
  urls: Readonly<Record<string, string>>,
  config: string,
  state: string,
  stream: string,
  runtime: Runtime,
): Promise<void> {
  const lines = [
    '',
    'The sandbox stays up until Ctrl-C:',
    ...Object.entries(urls).map(([name, url]) => `  ${name.padEnd(14)} ${url}`),
    '',
    'Try, in another terminal:',
    ...aliasLines(),
    `  export AUDITCTL_CONFIG=${config} AUDITCTL_STATE_DIR=${state}`,
    '  auditctl query --from 2h -n 20',
    '  auditctl query --from 2h --event get-secret -o csv',
    `  auditctl gaps --stream ${stream} --from 2h`,
    `  auditctl backfill --stream ${stream} --from 2h --dry-run`,
    '  auditctl runs list',
    '',
  ]
  await runtime.output.write(lines.join('\n'))
  await runtime.output.flush()
  await new Promise<void>((resolve) => {
    if (runtime.signal.aborted) resolve()
    runtime.signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** In a clone there is no program of that name yet. */
function aliasLines(): readonly string[] {
  const [node = '', program = ''] = process.argv
  if (!/\.[jt]s$/.test(program)) return []
  const words = [node, ...process.execArgv, program].map(shellWord).join(' ')
  return [`  alias auditctl=${shellWord(words)}`]
}

/** How long the recorded events reach, and how many they are. */
async function recordedWindow(): Promise<{
  readonly from: number
  readonly to: number
  readonly events: number
}> {
  const probe = await startSandbox({
    seed: 1,
    generation: '2026',
    recent: false,
    faults: faultPlan(),
    now: systemClock.now,
    services: [],
  })
  try {
    let [from, to, events] = [Number.POSITIVE_INFINITY, 0, 0]
    for (const event of probe.services['infisical']?.events?.() ?? []) {
      const ms = Date.parse(String(event['createdAt']))
      from = Math.min(from, ms)
      to = Math.max(to, ms)
      events += 1
    }
    return { from, to, events }
  } finally {
    await probe.close()
  }
}

/** The sandboxes index at once; the default grace would only make the demo wait. */
function withShortGrace(config: JsonObject, stream: string): JsonObject {
  const streams = { ...(config['streams'] as Record<string, JsonObject>) }
  streams[stream] = { ...streams[stream], grace: '5s' }
  return { ...config, streams }
}

/** A destination without a search is compared through a file of the ids it holds, which here the receiver itself writes. */
async function idsOfUnsearchable(
  receiver: SandboxService,
  config: JsonObject,
  stream: string,
  folder: string,
): Promise<string | undefined> {
  const { INVENTORIES } = await import('../../inventories/registry.ts')
  const settings = (config['streams'] as Record<string, JsonObject>)[stream] ?? {}
  if (INVENTORIES[String(settings['provider'])] !== undefined || settings['inventory'] !== undefined)
    return undefined
  const path = join(folder, 'held-ids.txt')
  await writeFile(path, `${[...new Set(receiver.receivedIds?.() ?? [])].join('\n')}\n`)
  return path
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** Without the milliseconds: easier to read, and to type again. */
function toSecond(ms: number): string {
  return `${isoTime(ms).slice(0, 19)}Z`
}

function clock(ms: number): string {
  return isoTime(ms).slice(11, 19)
}
