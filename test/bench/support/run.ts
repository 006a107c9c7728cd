import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

const ROOT = join(import.meta.dirname, '../../..')
export const BIN = join(ROOT, 'bin/auditctl.js')
const NAIVE = join(import.meta.dirname, '../naive')
const BUILT = join(ROOT, '.bench')

/** Preloaded, it writes the peak of the process in KiB to `BENCH_PEAK_FILE` at the end. */
export const PEAK_HOOK = join(import.meta.dirname, 'peak-hook.mjs')

export type Cost = {
  /** User and system, all threads and children. */
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly stderr: string
}

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>
  /**
   * Removes the state folder that `env` names first. The spools of earlier runs fill the page cache, and from some gigabytes on it is this
   * machine's memory that each further page is waited for (measured: 0.5 s of system time became 1.2 s).
   */
  readonly isFresh?: boolean
  /** Standard output goes here; nowhere if undefined. */
  readonly out?: string
  readonly codes?: readonly number[]
}

/**
 * Runs a command to its end in a process of its own, timed by the shell, so that everything it starts counts.
 * @throws Error for an exit code that is not among `codes` (0)
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Cost> {
  const state = options.env?.['AUDITCTL_STATE_DIR']
  if (options.isFresh === true && state !== undefined) rmSync(state, { recursive: true, force: true })
  const out = options.out === undefined ? 'ignore' : openSync(options.out, 'w')
  const started = performance.now()
  const child = spawn('bash', ['-c', `TIMEFORMAT='cpu %3U %3S'; time "$@"`, 'bash', ...command], {
    stdio: ['ignore', out, 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const wallSeconds = (performance.now() - started) / 1000
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
  if (!(options.codes ?? [0]).includes(code ?? -1) || user === undefined) {
    throw new Error(`${command.slice(0, 6).join(' ')} … ended with ${code}: ${stderr.slice(-2000)}`)
  }
  return { cpuSeconds: Number(user) + Number(system), wallSeconds, stderr }
}

export const auditctl = (...args: string[]): string[] => [process.execPath, BIN, ...args]
let isBuilt = false

/** A program of `naive/`, made into JavaScript first as ours is: the yardstick does not pay for types. */
export function naive(name: string, ...args: string[]): string[] {
  if (!isBuilt) {
    buildSync({
      entryPoints: globSync(join(NAIVE, '*.ts')),
      outdir: BUILT,
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
    isBuilt = true
  }
  return [process.execPath, join(BUILT, `${name}.js`), ...args]
}
