import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installGlobally, type Packed, packInto } from './installed-package.ts'

const ROOT = join(import.meta.dirname, '../..')
const MAX_UNPACKED_BYTES = 6_000_000

type Manifest = {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

describe('the npm package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-package-'))
  let packed: Packed
  let installed: string
  before(() => {
    packed = packInto(folder)
    installed = installGlobally(join(folder, packed.filename), folder)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('unpacks to at most 6 MB', () => {
    assert.ok(packed.unpackedSize <= MAX_UNPACKED_BYTES, `${packed.unpackedSize} bytes`)
  })

  test('has the program, its manual, completions, licence and notices, and nothing of its making', () => {
    const paths = packed.files.map(({ path }) => path)
    for (const path of [
      'bin/auditctl.js',
      'dist/main.js',
      'dist/recordings/infisical-events.jsonl.gz',
      'man/auditctl.1',
      'completions/auditctl.bash',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'THIRD-PARTY-NOTICES.md',
    ]) {
      assert.ok(paths.includes(path), `${path} is in the package`)
    }
    assert.deepEqual(
      paths.filter((path) => /^(?:src|test|scripts|sea|node_modules)\/|\.map$|meta\.json$|\.ts$/.test(path)),
      [],
    )
  })

  test('is built anew before it is packed', () => {
    assert.match(manifest.scripts['prepack'] ?? '', /npm run build/)
  })

  test('asks for no package but the keychain, without which it installs too', () => {
    assert.deepEqual(manifest.dependencies ?? {}, {})
    assert.deepEqual(Object.keys(manifest.optionalDependencies ?? {}), ['@napi-rs/keyring'])
  })

  test('puts the command and its manual where the system looks for them', () => {
    const version = execFileSync(join(folder, 'bin/auditctl'), ['--version'], { encoding: 'utf8' })
    assert.match(
      version,
      new RegExp(`^auditctl ${manifest.version.replaceAll('.', '\\.')} \\(\\w+\\) on Node v24\\.`),
    )
    const man = join(folder, 'share/man/man1/auditctl.1')
    assert.ok(existsSync(man), 'npm linked the manual')
    assert.equal(realpathSync(man), realpathSync(join(installed, 'man/auditctl.1')))
  })
})
