import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { completionScript } from '../../src/cli/completion-scripts.ts'
import { COMMANDS } from '../../src/cli/tree.ts'
import { runProgram } from '../support/program.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILES = { bash: 'auditctl.bash', zsh: '_auditctl', fish: 'auditctl.fish' } as const
const has = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined

for (const [shell, file] of Object.entries(FILES) as [keyof typeof FILES, string][]) {
  test(`completions/${file} is what the command tree makes today`, async () => {
    const script = completionScript(shell)
    assert.equal(readFileSync(join(ROOT, 'completions', file), 'utf8'), script)
    assert.equal((await runProgram(['completion', shell])).stdout, script)
    for (const { name } of COMMANDS) assert.ok(script.includes(name), name)
  })

  test(`the ${shell} script is valid`, { skip: has(shell) ? false : `${shell} is not installed` }, () => {
    const { status, stderr } = spawnSync(shell, ['-n', join(ROOT, 'completions', file)], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })
}

describe('the bash completion', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-complete-'))
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    AUDITCTL_CONFIG: join(folder, 'config.json'),
    AUDITCTL_STATE_DIR: join(folder, 'state'),
  }
  before(() => {
    const config = {
      version: 1,
      sources: {
        prod: { type: 'infisical', url: 'http://127.0.0.1:1', auth: { method: 'token', token: 'env:T' } },
      },
      streams: {
        soc: { provider: 'splunk', url: 'http://127.0.0.1:1', token: 'env:T' },
        staging: { provider: 'splunk', url: 'http://127.0.0.1:1', token: 'env:T' },
      },
    }
    writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** What the TAB key offers after these words; the last one is being typed. */
  function offered(...words: string[]): readonly string[] {
    const script = `
      auditctl() { "${process.execPath}" "${join(ROOT, 'bin/auditctl.js')}" "$@"; }
      source "${join(ROOT, 'completions/auditctl.bash')}"
      COMP_WORDS=(auditctl "$@"); COMP_CWORD=$#
      _auditctl; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { env, encoding: 'utf8' })
    assert.equal(stderr, '')
    return stdout.split('\n').filter((word) => word !== '')
  }

  for (const [words, expected] of [
    [['ba'], ['backfill']],
    [
      ['gaps', '--stream', ''],
      ['soc', 'staging'],
    ],
    [['gaps', '--stream', 'st'], ['staging']],
    [['gaps', '--stream', '=', 'so'], ['soc']],
    [['query', '--source', ''], ['prod']],
    [
      ['query', '-o', 'js'],
      ['json', 'jsonl'],
    ],
    [['query', '--event', 'get-secret-by'], []],
    [
      ['runs', 're'],
      ['resume', 'rejects', 'resend'],
    ],
    [['stream', 'show', 'so'], ['soc']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['export', '--compr'], ['--compress']],
    [
      ['export', '--compress', ''],
      ['gzip', 'zstd'],
    ],
  ] as const) {
    test(`auditctl ${words.join(' ')}<TAB> offers ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(offered(...words), expected)
    })
  }

  test('completes event types, and leaves no trace of having asked', () => {
    assert.ok(offered('query', '--event', 'get-sec').includes('get-secrets'))
    assert.deepEqual(offered('runs', 'show', ''), [])
    assert.equal(existsSync(env.AUDITCTL_STATE_DIR), false)
  })
})
