import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
/** The built program; the sources where nothing is built yet. */
const ENTRY = existsSync(join(root, 'dist', 'main.js'))
  ? join(root, 'bin', 'auditctl.js')
  : join(root, 'src', 'main.ts')

/** Where the examples' folders lie in a test. */
export type Machine = {
  /** The example's text, with its folders in the test's own. */
  place(text: string): string
  /** A folder that `auditctl` alone is in. */
  readonly bin: string
  readonly at: (path: string) => string
}

/** A machine as the examples know it, below one folder: `/etc/auditctl`, `/var/lib/…`, `/srv/audit`, and `auditctl` on the path. */
export function machineIn(folder: string, config: object): Machine {
  const at = (path: string) => join(folder, path)
  const bin = at('/usr/local/bin')
  for (const path of [
    '/etc/auditctl',
    '/var/lib/auditctl',
    '/var/lib/node_exporter',
    '/srv/audit',
    '/usr/local/bin',
  ])
    mkdirSync(at(path), { recursive: true })
  writeFileSync(at('/etc/auditctl/config.json'), JSON.stringify(config), { mode: 0o600 })
  writeFileSync(join(bin, 'auditctl'), `#!/bin/sh\nexec '${process.execPath}' '${ENTRY}' "$@"\n`)
  chmodSync(join(bin, 'auditctl'), 0o755)
  return {
    bin,
    at,
    place: (text) =>
      text.replaceAll(
        /(?<![\w.])\/(?=(?:etc\/auditctl|var\/lib|srv\/audit|usr\/local\/bin)\b)/g,
        `${folder}/`,
      ),
  }
}

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** The command line by a plain shell, with nothing in its environment but what is given: what cron does. */
export async function runBare(line: string, env: Readonly<Record<string, string>>): Promise<Finished> {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const child = spawn('env', ['-i', ...words, '/bin/sh', '-c', line], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
