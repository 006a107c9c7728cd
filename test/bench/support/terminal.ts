import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { shellWord } from '../../../src/core/shell-word.ts'

/** A program on a pseudo-terminal that `script` lends it. */
export type Terminal = {
  /** Waits until the program has written something that matches since `keys` were last sent. @throws Error after `withinMs` */
  shows(pattern: RegExp, withinMs?: number): Promise<void>
  keys(text: string): void
  /** Bytes written so far: whether a key was drawn. */
  written(): number
  /** At once, as it stands: what it used until then is what `ended` gives. */
  kill(): void
  /** User and system seconds of the program so far. */
  cpuSeconds(): number
  /** Seconds of user and system time of the program and of `script`. @throws Error for an exit code other than 0 */
  ended(): Promise<number>
}

const TICKS_A_SECOND = 100

export function openTerminal(
  command: readonly string[],
  { env, columns = 80, rows = 24 }: { env: Record<string, string>; columns?: number; rows?: number },
): Terminal {
  const line = `stty cols ${columns} rows ${rows}; exec ${command.map(shellWord).join(' ')}`
  const child = spawn('bash', ['-c', `TIMEFORMAT='cpu %3U %3S'; time script -qec "$0" /dev/null`, line], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', ...env },
  })
  let isKilled = false
  let [shown, stderr, bytes] = ['', '', 0]
  let wake = (): void => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    bytes += Buffer.byteLength(text)
    shown = (shown + text).slice(-200_000)
    wake()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  const closed = once(child, 'close') as Promise<[number | null]>
  closed.then(() => wake())
  return {
    async shows(pattern, withinMs = 60_000) {
      const until = performance.now() + withinMs
      while (!pattern.test(shown.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, ''))) {
        if (performance.now() > until || child.exitCode !== null)
          throw new Error(`the terminal never showed ${pattern}: ${shown.slice(-2000)} ${stderr}`)
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        await Promise.race([change, new Promise((resolve) => setTimeout(resolve, 500))])
      }
    },
    keys(text) {
      shown = ''
      child.stdin.write(text)
    },
    written: () => bytes,
    kill() {
      isKilled = true
      process.kill(programOf(child.pid ?? 0), 'SIGKILL')
    },
    cpuSeconds() {
      const stat = readFileSync(`/proc/${programOf(child.pid ?? 0)}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
    },
    async ended() {
      const [code] = await closed
      const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
      if ((code !== 0 && !isKilled) || user === undefined)
        throw new Error(`it ended with ${code}: ${shown.slice(-2000)} ${stderr}`)
      return Number(user) + Number(system)
    },
  }
}

/** The last of the line of children: bash, script, and the program that the shell became. */
function programOf(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return child === undefined || child === '' ? pid : programOf(Number(child))
}
