import { spawn } from 'node:child_process'
import type { Runtime } from './runtime.ts'

export type DemoStep = {
  readonly title: string
  readonly words: readonly string[]
  /** The exit code that tells the story: 3 where gaps are found. */
  readonly expects: number
  /** The receiver has changed: a file of held ids is written again before the next step. */
  readonly refreshIds?: boolean
}

/** The whole job: look, export, find the gap, refill it, prove it. */
export function demoSteps(about: {
  readonly stream: string
  readonly span: { readonly from: string; readonly to: string }
  readonly idsFile: string | undefined
}): readonly DemoStep[] {
  const { stream, span, idsFile } = about
  const window = ['--from', span.from, '--to', span.to]
  const pair = ['--stream', stream, ...window]
  const inventory =
    idsFile === undefined
      ? []
      : ['--inventory', 'held-ids.txt', '--inventory-window', `${span.from}/${span.to}`]
  // Such a file does not change by itself: the second look at the receiver is the proof then.
  const verify = idsFile === undefined ? ['--verify'] : []
  return [
    { title: 'What happened lately?', words: ['query', ...window, '-n', '5', '-o', 'table'], expects: 0 },
    {
      title: 'Keep all of it, in files that can be checked later',
      words: ['export', ...window, '--format', 'jsonl', '--out', 'audit/', '--compress', 'zstd'],
      expects: 0,
    },
    { title: 'Are the files whole and untouched?', words: ['verify', 'audit/', '-o', 'table'], expects: 0 },
    { title: 'What does the SIEM lack?', words: ['gaps', ...pair, ...inventory, '-o', 'table'], expects: 3 },
    {
      title: 'Send exactly that, and look until it is found',
      words: ['backfill', ...pair, ...inventory, '--missing', ...verify, '-o', 'table'],
      expects: 0,
      refreshIds: true,
    },
    { title: 'Is it whole again?', words: ['gaps', ...pair, ...inventory, '-o', 'table'], expects: 0 },
  ]
}

/** Runs one step as a process of its own, the way a user would; its output goes where ours goes. */
export async function runStep(
  step: DemoStep,
  options: { readonly env: Runtime['io']['env']; readonly folder: string; readonly runtime: Runtime },
): Promise<number> {
  const { env, folder, runtime } = options
  const program = process.argv[1] ?? ''
  const child = spawn(process.execPath, [...process.execArgv, program, ...step.words], {
    cwd: folder,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: runtime.signal,
  })
  const copy = async (from: NodeJS.ReadableStream): Promise<void> => {
    for await (const chunk of from) await runtime.output.write(chunk as Buffer)
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  const [code] = await Promise.all([ended, copy(child.stdout), copy(child.stderr)])
  return code
}
