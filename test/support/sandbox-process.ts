import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ended, type ProgramOptions, runProgram, type Started, startProgram } from './program.ts'

export type SandboxState = { readonly requests: number; readonly logins: number; readonly events: number }

/** The built program's own sandbox in a process of its own, and the built program pointed at it. */
export type SandboxProcess = {
  readonly folder: string
  readonly config: Record<string, unknown> & { readonly sources: Record<string, Record<string, unknown>> }
  readonly urls: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  run(args: readonly string[], options?: ProgramOptions): Promise<Ended>
  start(args: readonly string[], options?: ProgramOptions): Started
  state(): Promise<SandboxState>
  /** Through the sandbox's own controls: `{"count":5}`, `{"events":[…]}`, `{"faults":[…]}`. */
  admin(path: 'events' | 'faults' | 'reset', body?: unknown): Promise<void>
  /** Writes the configuration anew, changed. */
  configure(change: (config: SandboxProcess['config']) => unknown): void
  stop(): Promise<void>
}

/** @param args of `auditctl sandbox` */
export async function startSandboxProcess(args: readonly string[] = []): Promise<SandboxProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-e2e-'))
  const env = {
    HOME: folder,
    AUDITCTL_CONFIG: join(folder, 'config.json'),
    AUDITCTL_STATE_DIR: join(folder, 'state'),
    NODE_COMPILE_CACHE: join(tmpdir(), 'auditctl-e2e-compile-cache'),
  }
  const server = startProgram(['sandbox', '-o', 'json', ...args], { env })
  // Read on for as long as it runs: a closed pipe would end it.
  let line = ''
  await new Promise<void>((resolve) => {
    server.child.stdout?.on('data', (chunk: Buffer) => {
      line += chunk.toString()
      if (line.includes('\n')) resolve()
    })
    server.child.once('close', () => resolve())
  })
  if (!line.includes('\n')) throw new Error(`the sandbox did not start: ${(await server.ended).stderr}`)
  const { config, urls } = JSON.parse(line) as Pick<SandboxProcess, 'config' | 'urls'>
  const write = (content: unknown): void =>
    writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(content), { mode: 0o600 })
  write(config)
  const merged = (options: ProgramOptions = {}): ProgramOptions => ({
    cwd: folder,
    ...options,
    env: { ...env, ...options.env },
  })
  const url = urls['infisical'] ?? ''
  return {
    folder,
    config,
    urls,
    env,
    run: (words, options) => runProgram(words, merged(options)),
    start: (words, options) => startProgram(words, merged(options)),
    state: async () => (await (await fetch(`${url}/__emulator/state`)).json()) as SandboxState,
    async admin(path, body = {}) {
      const reply = await fetch(`${url}/__emulator/${path}`, { method: 'POST', body: JSON.stringify(body) })
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
    },
    configure: (change) => write(change(structuredClone(config))),
    async stop() {
      server.kill('SIGKILL')
      await server.ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

export function idsOf(jsonl: string): string[] {
  return jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id)
}
