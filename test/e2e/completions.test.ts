import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { completionScript } from '../../src/cli/completion-scripts.ts'
import { systemClock } from '../../src/cli/runtime.ts'
import { COMMANDS } from '../../src/cli/tree.ts'
import { Ledger } from '../../src/state/ledger.ts'
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

describe('what the TAB key offers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-complete-'))
  const env = {
    PATH: `${folder}:${process.env['PATH']}`,
    HOME: folder,
    TERM: 'dumb',
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
    const program = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin/auditctl.js')}" "$@"\n`
    writeFileSync(join(folder, 'auditctl'), program, { mode: 0o755 })
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs in the shell, and must not complain: a person would see it in the middle of the line. */
  function lines(shell: string, args: readonly string[]): readonly string[] {
    const { stdout, stderr } = spawnSync(shell, args, { env, encoding: 'utf8', timeout: 30_000 })
    assert.equal(stderr, '')
    return stdout.split('\n').filter((word) => word !== '')
  }

  /** What each shell offers after these words; the last one is being typed. */
  const offered: Readonly<Record<keyof typeof FILES, (words: readonly string[]) => readonly string[]>> = {
    bash(words) {
      const script = `
        source "${join(ROOT, 'completions/auditctl.bash')}"
        COMP_WORDS=(auditctl "$@"); COMP_CWORD=$#
        _auditctl; printf '%s\\n' "\${COMPREPLY[@]}"`
      // For bash `--stream=so` is three words.
      return lines('bash', ['-c', script, 'bash', ...words.flatMap((word) => word.split(/(?<=^--\w+)(=)/))])
    },
    zsh(words) {
      const script = join(import.meta.dirname, '../support/zsh-completion.zsh')
      return lines('zsh', ['-f', script, join(ROOT, 'completions'), ['auditctl', ...words].join(' ')])
    },
    fish(words) {
      const script = `source "${join(ROOT, 'completions/auditctl.fish')}"; complete -C "$argv"`
      const found = lines('fish', ['--no-config', '-c', script, ['auditctl', ...words].join(' ')])
      return found.map((line) => (line.split('\t')[0] ?? '').replace(/^--\w+=/, ''))
    },
  }

  for (const shell of Object.keys(FILES) as (keyof typeof FILES)[]) {
    describe(`in ${shell}`, { skip: has(shell) ? false : `${shell} is not installed` }, () => {
      for (const [words, expected] of [
        [['ba'], ['backfill']],
        [
          ['gaps', '--stream', ''],
          ['soc', 'staging'],
        ],
        [['gaps', '--stream', 'st'], ['staging']],
        [['gaps', '--stream=so'], ['soc']],
        [
          ['backfill', '--from', '24h', '--stream', 's'],
          ['soc', 'staging'],
        ],
        [['query', '--source', ''], ['prod']],
        [['--source', 'prod', 'quer'], ['query']],
        [
          ['query', '-o', 'js'],
          ['json', 'jsonl'],
        ],
        [['query', '--event', 'get-secret-by-n'], []],
        [['query', '--event', 'get-secrets', '--event', 'get-secret-rem'], ['get-secret-reminder']],
        [
          ['runs', 're'],
          ['resume', 'rejects', 'resend'],
        ],
        [['stream', 'show', 'so'], ['soc']],
        [['stream', 'guide', 'spl'], ['splunk']],
        [['source', 'add', 'x', '--type', 'infi'], ['infisical']],
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
        test(`auditctl ${words.join(' ')}<TAB> is ${expected.join(', ') || 'nothing'}`, () => {
          assert.deepEqual([...offered[shell](words)].sort(), [...expected].sort())
        })
      }

      test('is event types, and nothing is left of having asked', () => {
        assert.ok(offered[shell](['query', '--event', 'get-sec']).includes('get-secrets'))
        assert.deepEqual(offered[shell](['runs', 'show', '']), [])
        assert.equal(existsSync(env.AUDITCTL_STATE_DIR), false)
      })

      test('is the runs of the ledger', async () => {
        const state = join(folder, `state-${shell}`)
        const ledger = await Ledger.open(state, systemClock)
        const question = {
          mode: 'all',
          source: 'prod',
          stream: 'soc',
          from: 0,
          to: 1,
          typedWindow: '',
        } as const
        const { id } = ledger.createRun('key', { ...question, filter: '{}' })
        ledger.close()
        const own = env.AUDITCTL_STATE_DIR
        env.AUDITCTL_STATE_DIR = state
        try {
          for (const command of ['show', 'resume', 'rejects', 'resend'])
            assert.deepEqual(offered[shell](['runs', command, id.slice(0, 4)]), [id])
        } finally {
          env.AUDITCTL_STATE_DIR = own
        }
      })
    })
  }
})
