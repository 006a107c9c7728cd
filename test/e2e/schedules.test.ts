import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { EXIT } from '../../src/core/errors.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'
import { machineIn, runBare } from '../support/schedule.ts'
import { tempFolder } from '../support/temp-files.ts'

const DOCS = join(import.meta.dirname, '..', '..', 'docs')
const example = (name: string) => readFileSync(join(DOCS, 'examples', name), 'utf8')
const RETRYABLE = [EXIT.remote, EXIT.unresolved, EXIT.locked, EXIT.deadline, EXIT.sigint, EXIT.sigterm]
const MINUTE = 60_000
/** The newest events are half an hour old: all of the outage can be judged. */
const DROP = { from: Date.now() - 34.75 * MINUTE, to: Date.now() - 34 * MINUTE }

let sandbox: StartedSandbox
before(async () => {
  sandbox = await startSandbox({
    services: ['splunk'],
    generation: '2026',
    seed: 1,
    recent: true,
    drop: DROP,
    faults: faultPlan(),
    now: () => Date.now(),
  })
})
after(() => sandbox?.close())

const received = () => sandbox.services['splunk']?.receivedIds?.() ?? []
const crontab = () => {
  const lines = example('crontab')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const settings = lines.filter((line) => /^[A-Z_]+=/.test(line))
  return { settings, jobs: lines.filter((line) => !settings.includes(line)) }
}

test('the crontab’s lines run as cron runs them: quiet, whole, and the SIEM holds every event once', async (t) => {
  const machine = machineIn(tempFolder(t), sandbox.config)
  const { settings, jobs } = crontab()
  const set = settings.map((line) => machine.place(line).split(/=(.*)/s).slice(0, 2) as [string, string])
  const env: Record<string, string> = {
    HOME: '/nonexistent',
    LOGNAME: 'auditctl',
    SHELL: '/bin/sh',
    ...Object.fromEntries(set),
  }
  assert.ok(env['PATH']?.split(':').includes(machine.bin), 'cron looks for auditctl in the folders of PATH')
  const total = [...(sandbox.services['infisical']?.events?.() ?? [])].length
  const missing = total - new Set(received()).size
  assert.ok(missing > 100, 'the outage left a gap to fill')
  assert.equal(jobs.length, 3)
  for (const job of jobs) {
    const [, times = '', command = ''] = /^(\S+(?: \S+){4}) +(.*)$/.exec(job) ?? []
    assert.match(times, /^(?:(?:\*(?:\/\d+)?|\d+(?:[-,]\d+)*) ?){5}$/)
    assert.doesNotMatch(command, /%/, 'cron takes a percent sign for the end of the line')
    const { code, stdout, stderr } = await runBare(machine.place(command), env)
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' }, command)
  }
  assert.equal(received().length, total)
  assert.equal(new Set(received()).size, total)
  const metrics = readFileSync(machine.at('/var/lib/node_exporter/auditctl.prom'), 'utf8')
  assert.match(metrics, /^auditctl_last_exit_code\{[^}]*command="backfill"[^}]*\} 0$/m)
  assert.match(metrics, new RegExp(`^auditctl_events_delivered_total\\{[^}]*\\} ${missing}$`, 'm'))
  const verified = await runBare(`auditctl verify ${machine.at('/srv/audit')}/`, env)
  assert.equal(verified.code, 0, verified.stdout)
  assert.ok(existsSync(machine.at('/var/lib/auditctl/ledger.db')))
})

test('the systemd service runs what it says with what it sets, and systemd finds nothing wrong with it', async (t) => {
  const folder = tempFolder(t)
  const machine = machineIn(folder, sandbox.config)
  const service = example('auditctl-backfill.service')
  const values = (key: string) =>
    [...service.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  const env = Object.fromEntries(
    values('Environment')
      .flatMap((line) => line.replaceAll('%S', '/var/lib').split(' '))
      .map((word) => machine.place(word).split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
  const [start = ''] = values('ExecStart')
  const { code, stdout, stderr } = await runBare(machine.place(start), {
    ...env,
    PATH: `${machine.bin}:/usr/bin:/bin`,
  })
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' })
  // A run that is still at work is no failure; every other code must reach OnFailure.
  assert.deepEqual(values('SuccessExitStatus'), [String(EXIT.locked)])
  assert.match(example('auditctl-backfill.timer'), /^Persistent=true$/m)

  const units = ['auditctl-backfill.service', 'auditctl-backfill.timer'].map((name) => {
    const path = join(folder, name)
    writeFileSync(
      path,
      machine.place(example(name)).replace('ExecStart=auditctl', `ExecStart=${machine.bin}/auditctl`),
    )
    return path
  })
  const checked = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' })
  if (checked.error !== undefined) return t.diagnostic('there is no systemd-analyze on this machine')
  const ours = checked.stderr
    .split('\n')
    .filter((line) => units.some((unit) => line.includes(basename(unit))))
  assert.deepEqual(ours, [])
})

test('the Kubernetes CronJob’s command runs with a read-only configuration, and its failure policy knows the exit codes', async (t) => {
  const text = example('cronjob.yaml')
  const [, args = '[]'] = /^ +args: (\[.*\])$/m.exec(text) ?? []
  const words = JSON.parse(args) as string[]
  const folder = tempFolder(t)
  const machine = machineIn(folder, sandbox.config)
  const env: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/\{ name: (AUDITCTL_\w+), value: (\S+) \}/g))
    env[name] = join(folder, value)
  for (const name of ['config', 'state', 'tmp']) mkdirSync(join(folder, name))
  cpSync(machine.at('/etc/auditctl/config.json'), join(folder, 'config', 'config.json'))
  chmodSync(join(folder, 'config', 'config.json'), 0o440)
  chmodSync(join(folder, 'config'), 0o550)
  const line = ['auditctl', ...words].map((word) => `'${word}'`).join(' ')
  const { code, stdout, stderr } = await runBare(line, { ...env, PATH: `${machine.bin}:/usr/bin:/bin` })
  chmodSync(join(folder, 'config'), 0o750)
  assert.equal(code, 0, stderr)
  assert.equal((JSON.parse(stdout) as { status: string }).status, 'completed')
  for (const log of stderr.split('\n').filter((entry) => entry !== ''))
    assert.equal(typeof JSON.parse(log).msg, 'string')

  const lists = [...text.matchAll(/operator: (In|NotIn), values: (\[[\d, ]+\])/g)].map(
    ([, operator, values = '[]']) => [operator, JSON.parse(values) as number[]],
  )
  // Kubernetes wants them ascending, and no 0 with In.
  assert.deepEqual(lists, [
    ['In', RETRYABLE],
    ['NotIn', [EXIT.done, ...RETRYABLE]],
  ])
  assert.match(text, /^ {2}concurrencyPolicy: Forbid$/m)
  assert.match(text, /restartPolicy: Never/)
  assert.match(text, /persistentVolumeClaim/)
  checkYaml(text, t)
})

/** Parsed by another's parser where the machine has one: every mount has its volume, and every rule names the container. */
function checkYaml(text: string, t: { diagnostic(message: string): void }): void {
  const program = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))'
  const parsed = spawnSync('python3', ['-c', program], { input: text, encoding: 'utf8' })
  if (parsed.error !== undefined || /No module named/.test(parsed.stderr)) {
    t.diagnostic('there is no YAML parser on this machine')
    return
  }
  assert.equal(parsed.status, 0, parsed.stderr)
  type Named = { readonly name: string }
  type Job = {
    readonly spec: {
      readonly jobTemplate: {
        readonly spec: {
          readonly podFailurePolicy: {
            readonly rules: readonly { readonly onExitCodes?: { readonly containerName: string } }[]
          }
          readonly template: {
            readonly spec: {
              readonly containers: readonly (Named & { readonly volumeMounts: readonly Named[] })[]
              readonly volumes: readonly Named[]
            }
          }
        }
      }
    }
  }
  const { podFailurePolicy, template } = (JSON.parse(parsed.stdout) as Job).spec.jobTemplate.spec
  const [container] = template.spec.containers
  for (const { onExitCodes } of podFailurePolicy.rules)
    if (onExitCodes !== undefined) assert.equal(onExitCodes.containerName, container?.name)
  const volumes = template.spec.volumes.map(({ name }) => name)
  assert.deepEqual(
    container?.volumeMounts.map(({ name }) => name),
    volumes,
  )
}

test('the page’s table names every exit code once, and retries what the failure policy retries', () => {
  const page = readFileSync(join(DOCS, 'scheduling.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) \| (.*) \| (.*) \|$/gm)].map(([, code, , alert]) => [
    Number(code),
    alert,
  ])
  assert.deepEqual(
    rows.map(([code]) => code),
    Object.values(EXIT).toSorted((a, b) => a - b),
  )
  const atOnce = rows.filter(([, alert]) => alert === 'at once').map(([code]) => code)
  assert.deepEqual(atOnce, [EXIT.bug, EXIT.usage, EXIT.answerIsNo, EXIT.notDelivered, EXIT.auth])
  assert.match(page, /mends 6, 7, 75, 124, 130 and 143 by itself/)
})

test('a schedule learns of an outage of the SIEM and of a deadline by retryable codes', async (t) => {
  const machine = machineIn(tempFolder(t), sandbox.config)
  const config = structuredClone(sandbox.config) as { streams: Record<string, Record<string, unknown>> }
  const gone = 'http://127.0.0.1:1'
  config.streams['soc'] = { ...config.streams['soc'], url: gone, search: { url: gone, token: 'x' } }
  writeFileSync(machine.at('/etc/auditctl/down.json'), JSON.stringify(config), { mode: 0o600 })
  const env = { PATH: `${machine.bin}:/usr/bin:/bin`, AUDITCTL_STATE_DIR: machine.at('/var/lib/auditctl') }
  const backfill = 'auditctl backfill --stream soc --from proven:24h --missing --verify -q'
  for (const [more, name, expected] of [
    ['--retries 0', 'down', EXIT.remote],
    ['--deadline 1ms', 'config', EXIT.deadline],
    ['', 'config', EXIT.done],
  ] as const) {
    const path = machine.at(`/etc/auditctl/${name}.json`)
    const { code, stdout, stderr } = await runBare(`${backfill} ${more}`, { ...env, AUDITCTL_CONFIG: path })
    assert.deepEqual([code, stdout], [expected, expected === EXIT.done ? '' : stdout], stderr)
    assert.equal(
      stderr.split('\n').filter((line) => line.startsWith('auditctl: ')).length,
      expected === EXIT.done ? 0 : 1,
      stderr,
    )
  }
})
