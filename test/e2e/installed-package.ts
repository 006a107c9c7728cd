import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export type PackedFile = { readonly path: string; readonly size: number; readonly mode: number }
export type Packed = {
  readonly filename: string
  readonly unpackedSize: number
  readonly files: readonly PackedFile[]
}

/** Packs what is built into `folder`, as `npm pack` does after its build. */
export function packInto(folder: string): Packed {
  const text = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT)
  const [packed] = JSON.parse(text) as readonly Packed[]
  if (packed === undefined) throw new Error('npm pack packed nothing')
  return packed
}

/**
 * Installs a packed package as `npm install --global` does, into `prefix` and not into the system; gives its folder. The keychain, its one
 * package of others, comes from npm's cache or the registry, and is left out where neither has it.
 */
export function installGlobally(tarball: string, prefix: string): string {
  npm(['install', '--global', '--prefix', prefix, '--prefer-offline', '--fetch-retries=0', tarball], prefix)
  const folder = join(prefix, 'lib/node_modules/auditctl')
  if (!existsSync(folder)) throw new Error(`npm installed nothing at ${folder}`)
  return folder
}

function npm(args: readonly string[], cwd: string): string {
  // What `npm run` sets for the scripts of this repository is not for an install elsewhere.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?:config_(?:local_prefix|global_prefix|prefix)|package_|lifecycle_)/.test(name),
    ),
  )
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
