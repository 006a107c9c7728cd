import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { BIN } from './run.ts'

type Config = {
  readonly sources: Readonly<
    Record<string, { url: string; auth: { clientId: string; clientSecret: string } }>
  >
  readonly streams: Readonly<Record<string, Record<string, unknown>>>
}

/** What a bench works with: a folder of its own, a server in another process, and an environment that points at it. */
export type Bench = {
  readonly folder: string
  readonly config: Config
  readonly urls: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** All events of the server lie in it. */
  readonly window: readonly string[]
  writeConfig(config: object): void
  state(): Promise<ServerState>
}

export type ServerState = {
  readonly firstTime: string
  readonly lastTime: string
  readonly requests: number
  readonly violations: readonly { readonly rule: string; readonly detail: string }[]
}

const MINUTE_MS = 60_000

/** Runs `work` against the built program's sandbox with that many events, and leaves nothing behind. */
export async function withSandbox(
  events: number,
  faults: readonly string[],
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
  const server = spawn(
    process.execPath,
    [
      BIN,
      'sandbox',
      '--events',
      `${events}`,
      '--recent',
      '-o',
      'json',
      '-q',
      ...faults.flatMap((fault) => ['--fault', fault]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const { config, urls } = JSON.parse(await firstLine(server)) as Pick<Bench, 'config' | 'urls'>
    const path = join(folder, 'config.json')
    const writeConfig = (next: object): void => writeFileSync(path, JSON.stringify(next), { mode: 0o600 })
    writeConfig(config)
    const state = async (): Promise<ServerState> =>
      (await (await fetch(`${urls['admin']}/state`)).json()) as ServerState
    const { firstTime, lastTime } = await state()
    const iso = (time: string, besideMs: number): string =>
      new Date(Date.parse(time) + besideMs).toISOString()
    await work({
      folder,
      config,
      urls,
      env: { AUDITCTL_CONFIG: path, AUDITCTL_STATE_DIR: join(folder, 'state') },
      window: ['--from', iso(firstTime, -MINUTE_MS), '--to', iso(lastTime, MINUTE_MS)],
      writeConfig,
      state,
    })
  } finally {
    await stop(server)
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output')
  for await (const line of createInterface(child.stdout)) return line
  throw new Error(`the server ended with ${child.exitCode} before it was ready`)
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'exit')
  child.kill('SIGTERM')
  await closed
}

/** What the programs in `naive/` are told, and where to write. */
export function naiveArgs({ config, window }: Bench, ...rest: readonly string[]): string[] {
  const source = config.sources['infisical']
  if (source === undefined) throw new Error('the sandbox has no source')
  const [, from = '', , to = ''] = window
  return [source.url, source.auth.clientId, source.auth.clientSecret, from, to, ...rest]
}
