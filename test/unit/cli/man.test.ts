import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { manPage } from '../../../scripts/man.ts'
import { COMMON_OPTIONS, type CommandSpec, type OptionSpec } from '../../../src/cli/tree/option-specs.ts'
import { COMMANDS } from '../../../src/cli/tree.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const page = manPage()

test('man/auditctl.1 is what the command tree makes today', () => {
  const written = readFileSync(join(root, 'man', 'auditctl.1'), 'utf8')
  assert.ok(written === page, 'out of date: node scripts/man.ts writes it')
})

test('the manual page names every command, option and example of the tree', () => {
  const plain = page
    .replaceAll('\\-', '-')
    .replaceAll('\\(aq', "'")
    .replace(/\\\[u([0-9A-F]+)\]/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
  const lines = new Set(plain.split('\n'))
  const check = (spec: CommandSpec, path: readonly string[]): void => {
    if (spec.commands === undefined)
      assert.match(plain, new RegExp(`^\\.SS "${['auditctl', ...path].join(' ')}[ "]`, 'm'))
    for (const option of spec.options ?? []) checkOption(option)
    for (const example of spec.examples ?? []) assert.ok(lines.has(example), example)
    for (const child of spec.commands ?? []) check(child, [...path, child.name])
  }
  const checkOption = ({ flags, hidden }: OptionSpec): void => {
    assert.equal(lines.has(`.B ${flags}`), hidden !== true, flags)
  }
  for (const spec of COMMANDS) check(spec, [spec.name])
  COMMON_OPTIONS.forEach(checkOption)
})

test('the manual page is plain roff: ASCII, no stray control lines, no bare hyphens', () => {
  for (const line of page.split('\n')) {
    assert.match(line, /^[\x20-\x7e]*$/)
    if (line.startsWith('.\\"')) continue
    assert.ok(!line.startsWith("'"), line)
    if (line.startsWith('.')) assert.match(line, /^\.(?:TH|SH|SS|TP|PP|B|I|RI|nf|fi|RS|RE)(?: |$)/)
    else assert.doesNotMatch(line, /(?<!\\)-/)
  }
})

test('groff, where there is one, has nothing to complain of', (t) => {
  const { error, stdout, stderr } = spawnSync('groff', ['-ww', '-man', '-Tutf8', '-P-cbou'], {
    input: page,
    encoding: 'utf8',
  })
  if (error !== undefined) return t.diagnostic('there is no groff on this machine')
  assert.equal(stderr, '')
  assert.match(stdout, /auditctl - query, export, compare and backfill audit logs/)
})
